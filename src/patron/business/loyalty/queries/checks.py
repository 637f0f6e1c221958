"""Does the ledger add up? For `patron doctor`, for tests, for auditors."""

from dataclasses import dataclass

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """One statement about the ledger: `faults` rows contradict it, of which `example` names one."""

    code: str
    statement: str | Promise
    faults: int
    example: str

    @property
    def holds(self) -> bool:
        return self.faults == 0


# Each SELECT gives one text for each row that contradicts the statement.
CHECKS: tuple[tuple[str, str | Promise, str], ...] = (
    (
        "sums_to_zero",
        _("Every ledger transaction sums to zero"),
        """
        SELECT 'transaction ' || transaction_id FROM loyalty_posting
        GROUP BY transaction_id HAVING sum(amount) <> 0
        """,
    ),
    (
        "amounts_posted",
        _("Every ledger transaction gives its member what it says"),
        """
        SELECT 'transaction ' || t.id
        FROM loyalty_ledgertransaction t
            LEFT JOIN loyalty_posting p ON p.transaction_id = t.id
            LEFT JOIN loyalty_account a ON a.id = p.account_id
        WHERE t.kind NOT IN ('reserve', 'release', 'mature')
        GROUP BY t.id, t.amount
        HAVING coalesce(sum(p.amount) FILTER (WHERE a.bucket IN ('available', 'pending', 'reserved')), 0) <> t.amount
        """,
    ),
    (
        "balances_posted",
        _("Every account's balance is the sum of its postings"),
        """
        SELECT 'account ' || a.id
        FROM loyalty_account a
            LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM loyalty_posting GROUP BY 1) p
                ON p.account_id = a.id
        WHERE a.balance <> coalesce(p.amount, 0)
        """,
    ),
    (
        "lots_posted",
        _("What remains of every lot is the sum of its postings"),
        """
        SELECT 'lot ' || l.id
        FROM loyalty_lot l
            LEFT JOIN (
                SELECT lot_id, sum(amount) AS amount FROM loyalty_posting WHERE lot_id IS NOT NULL GROUP BY 1
            ) p ON p.lot_id = l.id
        WHERE l.remaining <> coalesce(p.amount, 0)
        """,
    ),
    (
        "kept_by_the_member",
        _("Reserving, releasing and maturing move points of a member, and neither make nor take any"),
        """
        SELECT 'transaction ' || t.id
        FROM loyalty_ledgertransaction t
            LEFT JOIN loyalty_posting p ON p.transaction_id = t.id
            LEFT JOIN loyalty_account a ON a.id = p.account_id
        WHERE t.kind IN ('reserve', 'release', 'mature')
        GROUP BY t.id, t.amount
        HAVING coalesce(sum(p.amount) FILTER (WHERE a.bucket IN ('available', 'pending', 'reserved')), 0) <> 0
            OR coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'available'), 0) <> t.amount
        """,
    ),
    (
        "lots_or_debt",
        _("Open lots add up to the balance, or to nothing while points are owed"),
        """
        SELECT 'account ' || a.id
        FROM loyalty_account a
            LEFT JOIN (SELECT account_id, sum(remaining) AS amount FROM loyalty_lot WHERE remaining > 0 GROUP BY 1) l
                ON l.account_id = a.id
        WHERE coalesce(l.amount, 0) <> CASE
            WHEN a.bucket IN ('available', 'pending') AND a.unit IN ('points', 'stored_value')
                THEN greatest(a.balance, 0)
            ELSE 0 END
        """,
    ),
    (
        "reserved_open",
        _("What is reserved is what open reservations set aside"),
        """
        SELECT 'member ' || coalesce(a.membership_id, r.membership_id)
        FROM (
            SELECT membership_id, unit, balance FROM loyalty_account WHERE bucket = 'reserved'
        ) a
            FULL JOIN (
                SELECT t.membership_id, t.unit, -sum(t.amount) AS amount
                FROM loyalty_reservation r JOIN loyalty_ledgertransaction t ON t.id = r.transaction_id
                WHERE r.state = 'open' GROUP BY 1, 2
            ) r ON r.membership_id = a.membership_id AND r.unit = a.unit
        WHERE coalesce(a.balance, 0) <> coalesce(r.amount, 0)
        """,
    ),
    (
        "one_origin",
        _("No purchase gave points twice in a programme"),
        """
        SELECT 'purchase ' || t.purchase_id
        FROM loyalty_ledgertransaction t JOIN loyalty_membership m ON m.id = t.membership_id
        WHERE t.kind = 'earn' AND t.purchase_id IS NOT NULL
        GROUP BY m.programme_id, t.unit, t.purchase_id HAVING count(*) > 1
        """,
    ),
)


def check_ledger() -> list[LedgerCheck]:
    """Every check, over the whole ledger. Reads each table once or twice; changes nothing."""
    done = []
    with connection.cursor() as cursor:
        for code, statement, faults in CHECKS:
            cursor.execute(f"SELECT count(*), coalesce(min(fault), '') FROM ({faults}) f (fault)")
            ((count, example),) = cursor.fetchall()
            done.append(LedgerCheck(code, statement, count, example))
    return done
