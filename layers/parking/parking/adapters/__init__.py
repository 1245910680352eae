"""The outside world behind the ports: DynamoDB, Stripe, IoT, SNS, and the in-memory twins."""
