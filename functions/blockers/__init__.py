"""The machines in the spots: every trigger ends in the same reconcile."""
