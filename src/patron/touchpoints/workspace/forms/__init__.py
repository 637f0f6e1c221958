"""What people fill in, parsed and checked, one module for each subject."""
