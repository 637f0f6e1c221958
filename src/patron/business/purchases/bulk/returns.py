"""Returned lines find the lines they undo: the same customer, product and unit price, sold before, not yet returned.

Best effort and deterministic: the latest earlier line that still has the whole quantity is taken; where several returns
want one line, the earlier return has it and the others look again.
"""

from patron.business.purchases.bulk.writing import RECEIPT, line_description, parameters
from patron.kernel.intake.contract import Chunk

_ROUNDS = 12

_CANDIDATES = """
    CREATE TEMP TABLE intake_candidate ON COMMIT DROP AS
    SELECT b.row_no, b.return_no, b.quantity AS wanted, l.purchase_id, l.line_no, s.occurred_at,
        l.quantity + coalesce((
            SELECT sum(back.quantity) FROM purchases_purchaseline AS back
            JOIN purchases_purchase AS undone ON undone.id = back.purchase_id AND undone.status = 'completed'
            WHERE back.original_purchase_id = l.purchase_id AND back.original_line_no = l.line_no
        ), 0) AS room
    FROM intake_back AS b
    JOIN purchases_purchase AS s ON s.customer_id = b.customer_id AND s.occurred_at <= b.occurred_at
        AND s.kind = 'sale' AND s.status = 'completed'
    JOIN purchases_purchaseline AS l ON l.purchase_id = s.id AND l.product_id = b.product_id
        AND l.unit_price = b.unit_price AND l.quantity >= b.quantity
    WHERE b.customer_id IS NOT NULL AND b.product_id IS NOT NULL AND b.quantity > 0
"""
_ROUND = """
    WITH best AS (
        SELECT DISTINCT ON (return_no) return_no, row_no, wanted, purchase_id, line_no, room
        FROM intake_candidate WHERE wanted <= room
        ORDER BY return_no, occurred_at DESC, purchase_id DESC, line_no
    ), fitting AS (
        SELECT *, sum(wanted) OVER (PARTITION BY purchase_id, line_no ORDER BY return_no) AS taken FROM best
    ), won AS (
        INSERT INTO intake_match SELECT row_no, return_no, purchase_id, line_no, wanted FROM fitting WHERE taken <= room
        RETURNING return_no, purchase_id, line_no, wanted
    ), gone AS (
        DELETE FROM intake_candidate AS c USING won WHERE c.return_no = won.return_no
    )
    UPDATE intake_candidate AS c SET room = c.room - used.wanted
    FROM (SELECT purchase_id, line_no, sum(wanted) AS wanted FROM won GROUP BY purchase_id, line_no) AS used
    WHERE c.purchase_id = used.purchase_id AND c.line_no = used.line_no
        AND NOT EXISTS (SELECT FROM won WHERE won.return_no = c.return_no)
"""
_RETURN_LINES = """
    INSERT INTO purchases_purchaseline (purchase_id, line_no, product_id, description, quantity, unit_price,
        discount_amount, net_amount, cost_amount, original_purchase_id, original_line_no)
    SELECT r.id, c.ordinal, p.id, {description}, c.quantity, c.unit_price,
        c.discount, c.net_amount, c.cost, m.purchase_id, m.line_no
    FROM {table} AS c JOIN intake_receipt AS r ON r.group_no = c.group_no AND r.is_new AND r.kind = 'return'
    LEFT JOIN catalog_product AS p ON p.code = c.product_code
    LEFT JOIN intake_match AS m ON m.row_no = c.row_no
"""


def write_returns(chunk: Chunk) -> tuple[int, int]:
    """Write the new receipts that are returns, with the lines they undo; return lines matched and not matched."""
    chunk.execute(f"""
        CREATE TEMP TABLE intake_back ON COMMIT DROP AS
        SELECT c.row_no, row_number() OVER (ORDER BY r.occurred_at, c.row_no) AS return_no, r.customer_id,
            p.id AS product_id, r.occurred_at, c.unit_price, -c.quantity AS quantity
        FROM {chunk.table} AS c JOIN intake_receipt AS r ON r.group_no = c.group_no AND r.is_new AND r.kind = 'return'
        LEFT JOIN catalog_product AS p ON p.code = c.product_code
    """)
    lines = chunk.execute("SELECT FROM intake_back")
    matched = 0
    if lines:
        matched = _match(chunk)
        chunk.execute(f"""
            UPDATE intake_receipt AS r SET original_id = chosen.purchase_id FROM (
                SELECT DISTINCT ON (r.id) r.id, m.purchase_id
                FROM intake_match AS m JOIN {chunk.table} AS c ON c.row_no = m.row_no
                JOIN intake_receipt AS r ON r.group_no = c.group_no
                GROUP BY r.id, m.purchase_id ORDER BY r.id, sum(c.net_amount), m.purchase_id
            ) AS chosen WHERE chosen.id = r.id
        """)
        with chunk.bulk_insert():
            chunk.execute(RECEIPT, parameters(chunk, "return"))
            chunk.execute(_RETURN_LINES.format(table=chunk.table, description=line_description(chunk)))
        chunk.execute("DROP TABLE intake_match")
    chunk.execute("DROP TABLE intake_back")
    return matched, lines - matched


def _match(chunk: Chunk) -> int:
    """Fill `intake_match` (row_no, return_no, purchase_id, line_no, wanted) and return how many lines found theirs."""
    chunk.execute(
        "CREATE TEMP TABLE intake_match (row_no bigint, return_no bigint, purchase_id bigint, line_no integer, "
        "wanted numeric) ON COMMIT DROP"
    )
    chunk.execute("ANALYZE intake_back")
    chunk.execute(_CANDIDATES)
    chunk.execute("ANALYZE intake_candidate")
    matched = 0
    for _round in range(_ROUNDS):
        chunk.execute(_ROUND)
        now_matched = chunk.execute("SELECT FROM intake_match")
        if now_matched == matched:
            break
        matched = now_matched
    chunk.execute("DROP TABLE intake_candidate")
    return matched
