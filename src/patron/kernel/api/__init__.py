"""What every HTTP API needs and no domain word: problems, cursors, counted requests, answers given once."""
