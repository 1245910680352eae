"""AWS's list prices for eu-central-1 (Frankfurt) in US dollars, x86, on demand, without free tiers and taxes.

As remembered on 2026-11-25; no price list was within reach: check them on the pages before you rely on a sum.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """What one million of something costs."""

    name: str
    usd_per_million: float
    page: str


WRITES = Price("DynamoDB write request units", 0.7625, "aws.amazon.com/dynamodb/pricing/on-demand")
READS = Price("DynamoDB read request units", 0.1525, "aws.amazon.com/dynamodb/pricing/on-demand")
INVOCATIONS = Price("Lambda requests", 0.20, "aws.amazon.com/lambda/pricing")
GB_MS = Price("Lambda GB-milliseconds", 0.0166667, "aws.amazon.com/lambda/pricing")
REQUESTS = Price("HTTP API requests", 1.20, "aws.amazon.com/api-gateway/pricing")
SHADOW = Price("IoT shadow operations", 1.50, "aws.amazon.com/iot-core/pricing")
MESSAGES = Price("IoT messages", 1.20, "aws.amazon.com/iot-core/pricing")
RULES = Price("IoT rules and their actions", 0.18, "aws.amazon.com/iot-core/pricing")
PUSHES = Price("SNS mobile push", 0.50, "aws.amazon.com/sns/pricing")
