"""The tables in DynamoDB: PynamoDB models give the shape of the items, one connection does all calls."""
