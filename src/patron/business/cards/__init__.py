"""The face of the member card: its designs, and the forms in which members and printers get it."""
