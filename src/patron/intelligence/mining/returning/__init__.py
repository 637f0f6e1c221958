"""When does each customer come again? Log-normal gaps with a prior, weekdays, leaving; tested by date."""
