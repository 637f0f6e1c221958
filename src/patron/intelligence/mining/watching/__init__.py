"""Watch: who behaves unlike themselves, what happened in a customer's life, whether data still look as they did."""
