"""A driver's account as a whole."""
