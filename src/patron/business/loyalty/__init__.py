"""The loyalty programme: members, cards, and the double-entry points ledger."""
