"""What will this customer buy next? Candidates on one footing, compared by date (docs/algorithms/next_product.md)."""
