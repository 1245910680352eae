"""Stays: from the hold to the end."""
