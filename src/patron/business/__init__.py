"""The daily work: purchases and the loyalty programme."""
