"""One chunk of purchase lines into the tables: resolve, compare, write, match returns, tell the others."""

from patron.business.purchases.bulk import resolving, returns, writing
from patron.business.purchases.bulk.home_branches import give_home_branches
from patron.business.purchases.followers import followers
from patron.kernel.intake.contract import ApplyCounts, Chunk, Cursor

_RECEIPTS = """
    CREATE TEMP TABLE intake_receipt ON COMMIT DROP AS
    SELECT coalesce(known.id, nextval(pg_get_serial_sequence('purchases_purchase', 'id'))) AS id, told.group_no,
        known.id IS NULL AS is_new, told.invoice, told.kind, told.occurred_at, told.line_count, told.channel,
        told.cashier, told.terminal, told.tender, told.net_amount::numeric(16, 2) AS net_amount,
        told.discount::numeric(16, 2) AS discount_amount, told.cost::numeric(16, 2) AS cost_amount,
        who.customer_id, branch.id AS branch_id, NULL::bigint AS original_id
    FROM {groups} AS told
    LEFT JOIN intake_who AS who ON who.value = told.customer
    LEFT JOIN accounts_branch AS branch ON branch.code = told.branch
    LEFT JOIN purchases_purchase AS known ON known.source = %(source)s AND known.source_key = told.invoice
    ORDER BY told.group_no
"""


_WORTH_ANALYSING = 100_000
"""Lines after which the planner's statistics are stale enough to renew them at once."""


def apply_chunk(chunk: Chunk) -> ApplyCounts:
    """Write the receipts of a chunk that are not on file; those that are must have the same content."""
    chunk.execute("SELECT pg_advisory_xact_lock(hashtextextended('patron.purchases.import', 0))")
    created = {
        "products": resolving.create_products(chunk),
        "branches": resolving.create_branches(chunk),
        "customers": resolving.resolve_customers(chunk),
    }
    chunk.execute(_RECEIPTS.format(groups=chunk.groups), {"source": chunk.source})
    chunk.execute("ANALYZE intake_receipt (id, group_no, kind, is_new, customer_id)")
    unchanged = _set_aside_known(chunk)
    added, lines = writing.write_sales(chunk)
    matched, unmatched = returns.write_returns(chunk)
    added += writing.count_new(chunk, "return")
    writing.write_tenders_and_coupons(chunk)
    writing.log(chunk)
    _tell_followers(chunk)
    for table in ("intake_receipt", "intake_who"):
        chunk.execute(f"DROP TABLE {table}")
    return ApplyCounts(
        added=added,
        unchanged=unchanged,
        created={**created, "lines": lines + matched + unmatched},
        treated={"matched": matched, "unmatched": unmatched},
    )


def finish_run(chunk: Chunk) -> ApplyCounts:
    """Once all lines are in: customers without a home branch get the one where they bought most."""
    given = give_home_branches(chunk)
    if chunk.rows >= _WORTH_ANALYSING:
        chunk.execute("ANALYZE purchases_purchase, purchases_purchaseline, activities_activity, customers_customer")
    return ApplyCounts(created={"home_branches": given})


def count_known(cursor: Cursor, table: str, source: str) -> int:
    """How many of the receipt numbers in `table` are on file."""
    cursor.execute(
        f"SELECT count(*) FROM {table} AS k JOIN purchases_purchase AS p ON p.source = %s AND p.source_key = k.invoice",
        [source],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _set_aside_known(chunk: Chunk) -> int:
    """Reject the rows of receipts on file with other content; count those with the same."""
    known = chunk.execute("SELECT FROM intake_receipt WHERE NOT is_new")
    if not known:
        return 0
    # Each side in a table of its own, analysed: the planner takes sums of groups for few rows, and would compare every
    # receipt with every other.
    chunk.execute(f"""
        CREATE TEMP TABLE intake_given ON COMMIT DROP AS
        SELECT r.id, count(*) AS n, sum(hashtextextended(concat_ws('|', coalesce(p.id::text, c.description),
            c.quantity::numeric(14, 3), c.net_amount::numeric(16, 2), c.discount::numeric(16, 2)), 0)) AS digest
        FROM {chunk.table} AS c JOIN intake_receipt AS r ON r.group_no = c.group_no AND NOT r.is_new
        LEFT JOIN catalog_product AS p ON p.code = c.product_code
        GROUP BY r.id
    """)
    chunk.execute("""
        CREATE TEMP TABLE intake_filed ON COMMIT DROP AS
        SELECT l.purchase_id AS id, count(*) AS n, sum(hashtextextended(concat_ws('|',
            coalesce(l.product_id::text, l.description), l.quantity, l.net_amount, l.discount_amount), 0)) AS digest
        FROM purchases_purchaseline AS l JOIN intake_receipt AS r ON r.id = l.purchase_id AND NOT r.is_new
        GROUP BY l.purchase_id
    """)
    chunk.execute("ANALYZE intake_given, intake_filed")
    chunk.execute("""
        CREATE TEMP TABLE intake_same ON COMMIT DROP AS
        SELECT r.id FROM intake_receipt AS r
        JOIN intake_given AS given USING (id) JOIN intake_filed AS filed USING (id)
        JOIN purchases_purchase AS p ON p.id = r.id
        WHERE given.n = filed.n AND given.digest = filed.digest AND p.occurred_at = r.occurred_at
            AND p.customer_id IS NOT DISTINCT FROM r.customer_id AND p.branch_id IS NOT DISTINCT FROM r.branch_id
    """)
    chunk.execute("ANALYZE intake_same")
    chunk.execute("DROP TABLE intake_given, intake_filed")
    chunk.execute(f"""
        INSERT INTO {chunk.rejects}
        SELECT c.row_no, 'other_content', '' FROM {chunk.table} AS c
        JOIN intake_receipt AS r ON r.group_no = c.group_no AND NOT r.is_new
        WHERE NOT EXISTS (SELECT FROM intake_same AS s WHERE s.id = r.id)
    """)
    same = chunk.execute("SELECT FROM intake_same")
    chunk.execute("DROP TABLE intake_same")
    return same


def _tell_followers(chunk: Chunk) -> None:
    if not len(followers):
        return
    chunk.execute(
        """
        CREATE TEMP TABLE intake_written ON COMMIT DROP AS
        SELECT id AS purchase_id, customer_id, branch_id, kind, occurred_at, %(currency)s::text AS currency, net_amount,
            original_id
        FROM intake_receipt WHERE is_new ORDER BY id
    """,
        {"currency": currency_of(chunk)},
    )
    chunk.execute("ANALYZE intake_written (purchase_id, customer_id, kind)")
    for follower in followers:
        follower.on_batch(chunk.cursor, "intake_written", actor=chunk.actor, now=chunk.now)
    chunk.execute("DROP TABLE intake_written")


def currency_of(chunk: Chunk) -> str:
    return chunk.options["currency"].upper()
