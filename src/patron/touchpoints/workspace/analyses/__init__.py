"""Pages that answer a question from what the analyses found: one file each, found by walking this package."""
