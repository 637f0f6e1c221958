"""Customer lifetime value: probability models of buying, staying and spending, fitted by maximum likelihood."""
