"""What the house asks of its data every night: one file each, found by walking this package."""
