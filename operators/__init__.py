"""What operators run from a clone of this project against a deployed stack, with their own AWS credentials."""
