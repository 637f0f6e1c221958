"""Cards in the wallets of phones."""
