"""The whole system on a laptop, from the same template.yaml as on AWS."""
