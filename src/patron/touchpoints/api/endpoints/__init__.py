"""The endpoints: each reads its input, calls one operation or query, and says what came of it."""
