"""Everyone on file: who they are, how to reach them, what they allow, what is known of them."""
