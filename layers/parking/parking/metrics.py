"""Business metrics as EMF lines in the log; CloudWatch makes metrics of them (namespace and service: template.yaml)."""

import warnings

from aws_lambda_powertools import Metrics

# Most invocations have nothing to count, which Powertools would say in a line of plain text each time.
warnings.filterwarnings("ignore", message="No application metrics to publish")

metrics = Metrics()
