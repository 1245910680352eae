"""What drivers are told: the inbox, and the knock at their phones."""
