"""Do the vouchers add up? For `patron doctor`, for tests, for auditors."""

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.queries import LedgerCheck

# Each SELECT gives one text for each row that contradicts the statement.
CHECKS: tuple[tuple[str, str | Promise, str], ...] = (
    (
        "voucher_left",
        _("What is left of every voucher is what it was less its uses that stand"),
        """
        SELECT 'voucher ' || v.id
        FROM vouchers_voucher v LEFT JOIN (
            SELECT voucher_id, sum(CASE state WHEN 'committed' THEN 1 ELSE -1 END) AS uses,
                sum(CASE state WHEN 'committed' THEN amount ELSE -amount END) AS amount
            FROM vouchers_voucheruse GROUP BY 1
        ) u ON u.voucher_id = v.id
        WHERE CASE WHEN v.remaining IS NULL THEN v.uses - v.uses_left <> coalesce(u.uses, 0)
            ELSE v.amount - v.remaining <> coalesce(u.amount, 0) END
        """,
    ),
    (
        "voucher_held",
        _("Every voucher is held as often as tills reserved it"),
        """
        SELECT 'voucher ' || v.id
        FROM vouchers_voucher v
            LEFT JOIN (SELECT voucher_id, count(*) AS holds FROM vouchers_voucherhold GROUP BY 1) h
                ON h.voucher_id = v.id
        WHERE v.held <> coalesce(h.holds, 0)
        """,
    ),
    (
        "voucher_issued",
        _("Every kind of voucher has given out as many as there are"),
        """
        SELECT 'definition ' || d.id
        FROM vouchers_voucherdefinition d LEFT JOIN (
            SELECT definition_id, count(*) AS issued FROM vouchers_voucher GROUP BY 1
        ) v ON v.definition_id = d.id
        WHERE d.issued <> coalesce(v.issued, 0)
        """,
    ),
    (
        "voucher_budget",
        _("Every budget is spent by as much as vouchers gave or hold"),
        """
        SELECT 'definition ' || d.id
        FROM vouchers_voucherdefinition d LEFT JOIN (
            SELECT definition_id, sum(amount) AS amount FROM (
                SELECT definition_id, CASE state WHEN 'committed' THEN amount ELSE -amount END AS amount
                FROM vouchers_voucheruse
                UNION ALL SELECT definition_id, amount FROM vouchers_voucherhold
            ) taken GROUP BY 1
        ) t ON t.definition_id = d.id
        WHERE d.budget IS NOT NULL AND d.spent <> coalesce(t.amount, 0)
        """,
    ),
)


def check_vouchers() -> list[LedgerCheck]:
    """Every check, over all vouchers. Reads each table once or twice; changes nothing."""
    done = []
    with connection.cursor() as cursor:
        for code, statement, faults in CHECKS:
            cursor.execute(f"SELECT count(*), coalesce(min(fault), '') FROM ({faults}) f (fault)")  # noqa: S608
            ((count, example),) = cursor.fetchall()
            done.append(LedgerCheck(code, statement, count, example))
    return done
