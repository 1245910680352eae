"""How boto3 clients behave inside a Lambda function: give up before the function's own time is over."""

from botocore.config import Config

CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})
