"""The smart-parking core, shared by every Lambda function as a layer."""
