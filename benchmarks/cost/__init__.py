"""What a journey costs: capacity, calls, milliseconds, money."""
