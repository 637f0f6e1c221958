"""Classification rules: a decision tree told as if-then sentences."""
