"""What is true, and how it changes: pure Python, standard library only, no clock and no I/O."""
