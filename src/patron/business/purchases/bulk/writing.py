"""The writing itself: receipts and lines, tenders, coupons, the activity log."""

from patron.core.activities.operations import log_activities_from
from patron.kernel.intake.contract import Chunk

RECEIPT = """
    INSERT INTO purchases_purchase (id, source, source_key, kind, status, customer_id, branch_id, channel, occurred_at,
        currency, gross_amount, discount_amount, net_amount, cost_amount, line_count, terminal, cashier, original_id)
    SELECT id, %(source)s, invoice, kind, 'completed', customer_id, branch_id, coalesce(channel, 'store'), occurred_at,
        %(currency)s, net_amount + discount_amount, discount_amount, net_amount, cost_amount, line_count,
        coalesce(terminal, ''), coalesce(cashier, ''), original_id
    FROM intake_receipt WHERE is_new AND kind = %(kind)s ORDER BY id
"""
_SALE_LINES = """
    INSERT INTO purchases_purchaseline (purchase_id, line_no, product_id, description, quantity, unit_price,
        discount_amount, net_amount, cost_amount)
    SELECT r.id, c.ordinal, p.id, {description}, c.quantity, c.unit_price,
        c.discount, c.net_amount, c.cost
    FROM {table} AS c JOIN intake_receipt AS r ON r.group_no = c.group_no AND r.is_new AND r.kind = 'sale'
    LEFT JOIN catalog_product AS p ON p.code = c.product_code
"""


def parameters(chunk: Chunk, kind: str) -> dict[str, str]:
    return {"source": chunk.source, "currency": chunk.options["currency"].upper(), "kind": kind}


def line_description(chunk: Chunk) -> str:
    """A line repeats the description only where the product is called something else, or is not known."""
    if "description" not in chunk.columns:
        return "''"
    return "CASE WHEN c.description IS NULL OR c.description = p.name THEN '' ELSE c.description END"


def write_sales(chunk: Chunk) -> tuple[int, int]:
    """Write the new receipts that are sales, and their lines; return how many of each."""
    with chunk.bulk_insert():
        receipts = chunk.execute(RECEIPT, parameters(chunk, "sale"))
        lines = chunk.execute(_SALE_LINES.format(table=chunk.table, description=line_description(chunk)))
    return receipts, lines


def count_new(chunk: Chunk, kind: str) -> int:
    return chunk.execute("SELECT FROM intake_receipt WHERE is_new AND kind = %(kind)s", {"kind": kind})


def write_tenders_and_coupons(chunk: Chunk) -> None:
    """How the new receipts were paid, and which coupons lowered them, where the file says so."""
    with chunk.bulk_insert():
        if "tender" in chunk.columns:
            chunk.execute("""
                INSERT INTO purchases_tender (purchase_id, kind, amount, reference)
                SELECT id, tender, net_amount, '' FROM intake_receipt WHERE is_new AND tender IS NOT NULL
            """)
        if "coupon" in chunk.columns:
            chunk.execute(f"""
                INSERT INTO purchases_couponuse (purchase_id, code, amount)
                SELECT r.id, c.coupon, abs(sum(coalesce(c.coupon_discount, 0)))
                FROM {chunk.table} AS c JOIN intake_receipt AS r ON r.group_no = c.group_no AND r.is_new
                WHERE c.coupon IS NOT NULL GROUP BY r.id, c.coupon
            """)


def log(chunk: Chunk) -> None:
    """Tell the activity log of the new receipts of known customers."""
    for kind, code in (("sale", "purchase.completed"), ("return", "purchase.returned")):
        with chunk.bulk_insert():
            log_activities_from(
                f"""
                SELECT customer_id, '{code}' AS kind, occurred_at, coalesce(channel, 'store') AS channel, branch_id,
                    'purchase:' || id AS source,
                    jsonb_build_object('net', net_amount::text, 'currency', %(currency)s::text, 'lines', line_count)
                        AS facts
                FROM intake_receipt WHERE is_new AND kind = %(kind)s AND customer_id IS NOT NULL ORDER BY id
                """,
                parameters(chunk, kind),
                actor=chunk.actor,
                now=chunk.now,
            )
