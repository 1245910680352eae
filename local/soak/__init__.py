"""Two hundred blockers under faults for five minutes, on the deployed stack: barriers, cars and commands are judged."""
