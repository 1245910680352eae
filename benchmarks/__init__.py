"""What is promised of cost, measured on the local cloud: ratios within one run, so that any machine will do."""
