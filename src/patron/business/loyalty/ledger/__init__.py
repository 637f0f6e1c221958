"""The writing half of the ledger: one member at a time (`book`), or a whole import at once (`bulk`).

Only the room's operations, handlers and jobs use it; each of them holds the transaction.
"""
