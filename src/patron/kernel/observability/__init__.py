"""What a running installation says about itself: logs with request ids, counters, health, and answers to failures."""
