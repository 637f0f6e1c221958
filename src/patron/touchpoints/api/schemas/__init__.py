"""What goes in and out of the API. Amounts are decimal numbers written as text; instants carry their offset."""
