"""The deposits behind a member's own money, and what became of the bonus that each brought."""

from django.db import connection

from patron.business.loyalty.ledger.book import Holding
from patron.business.loyalty.models import Bucket
from patron.business.storedvalue.rules import Deposit

_DEPOSITS = """
SELECT l.id,
    coalesce((SELECT -sum(p.amount) FROM loyalty_posting p JOIN loyalty_ledgertransaction t ON t.id = p.transaction_id
              WHERE p.lot_id = l.id AND t.kind = 'return'), 0),
    b.id, coalesce(b.amount, 0), bl.id,
    coalesce((SELECT sum(coalesce((t.explanation ->> 'charged')::numeric, 0) - t.amount)
              FROM loyalty_ledgertransaction t
              WHERE t.origin_id = b.id AND t.unit = 'stored_value' AND t.kind = 'return'), 0),
    coalesce((SELECT -sum(p.amount) FROM loyalty_posting p JOIN loyalty_ledgertransaction t ON t.id = p.transaction_id
              WHERE p.lot_id = bl.id AND t.kind = 'expire'), 0)
FROM loyalty_lot l
    JOIN loyalty_ledgertransaction d ON d.id = l.opened_by_id AND d.explanation ->> 'what' = 'deposit'
    LEFT JOIN loyalty_ledgertransaction b ON b.origin_id = d.id AND b.unit = 'stored_value' AND b.kind = 'earn'
    LEFT JOIN loyalty_lot bl ON bl.opened_by_id = b.id
WHERE l.account_id = %s AND l.remaining > 0
"""


def open_deposits(holding: Holding) -> list[Deposit]:
    """Deposits with own money left in a holding under lock: lots as the holding has them now. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_DEPOSITS, [holding.accounts[Bucket.AVAILABLE]])
        rows = cursor.fetchall()
    return [
        Deposit(
            lot=holding.lots[lot_id],
            withdrawn=withdrawn,
            bonus_id=bonus_id,
            bonus=bonus,
            settled=settled,
            expired=expired + holding.expired_of.get(bonus_lot_id, 0),
            bonus_lot=holding.lots.get(bonus_lot_id),
        )
        for lot_id, withdrawn, bonus_id, bonus, bonus_lot_id, settled, expired in rows
    ]
