"""Where people and machines meet the system."""
