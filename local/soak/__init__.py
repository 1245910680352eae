"""Two hundred blockers under faults for five minutes, on the deployed stack: barriers, stays, commands are judged."""
