"""Use cases: load, decide, commit; and the ports that they need."""
