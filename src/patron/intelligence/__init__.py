"""Understanding: the warehouse, the models that mine it, and the reports."""
