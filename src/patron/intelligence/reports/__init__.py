"""Read models behind the reports: who the VIPs are, the customer inventory, this week."""
