"""The refresh: extract, mine, publish. Joins the warehouse and the models to the customer file."""
