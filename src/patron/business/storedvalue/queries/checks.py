"""Does stored value add up? Beside the ledger's own checks, for `patron doctor`, tests and auditors."""

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.queries import LedgerCheck

_CHECKS: tuple[tuple[str, str | Promise, str], ...] = (
    (
        "stored_value_never_owed",
        _("No member owes stored value"),
        """
        SELECT 'account ' || id FROM loyalty_account
        WHERE unit = 'stored_value' AND bucket IN ('available', 'pending', 'reserved')
            AND (balance < 0 OR overdraft_allowed)
        """,
    ),
    (
        "refunds_within_payments",
        _("No payment was refunded by more than it was"),
        """
        SELECT 'payment ' || p.id
        FROM loyalty_ledgertransaction r LEFT JOIN loyalty_ledgertransaction p ON p.id = r.origin_id
        WHERE r.unit = 'stored_value' AND r.kind = 'refund'
        GROUP BY p.id, p.amount HAVING coalesce(sum(r.amount) > -p.amount, true)
        """,
    ),
    (
        "bonus_never_paid_out",
        _("No bonus was paid out"),
        """
        SELECT 'withdrawal ' || t.id
        FROM loyalty_ledgertransaction t
            JOIN loyalty_posting p ON p.transaction_id = t.id
            JOIN loyalty_lot l ON l.id = p.lot_id
            JOIN loyalty_ledgertransaction o ON o.id = l.opened_by_id
        WHERE t.unit = 'stored_value' AND t.explanation ->> 'what' = 'withdrawal' AND o.explanation ->> 'what' = 'bonus'
        """,
    ),
    (
        "own_money_never_expires",
        _("Money that was deposited never expires"),
        """
        SELECT 'lot ' || l.id
        FROM loyalty_ledgertransaction o JOIN loyalty_lot l ON l.opened_by_id = o.id
        WHERE o.unit = 'stored_value' AND o.explanation ->> 'what' = 'deposit' AND l.expires_on IS NOT NULL
        """,
    ),
)


def check_stored_value() -> list[LedgerCheck]:
    """Every check, over all stored value. Changes nothing."""
    done = []
    with connection.cursor() as cursor:
        for code, statement, faults in _CHECKS:
            cursor.execute(f"SELECT count(*), coalesce(min(fault), '') FROM ({faults}) f (fault)")  # noqa: S608
            ((count, example),) = cursor.fetchall()
            done.append(LedgerCheck(code, statement, count, example))
    return done
