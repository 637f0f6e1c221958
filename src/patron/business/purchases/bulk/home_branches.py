"""A customer's home branch, where nobody has said one: the branch where they bought most often."""

from patron.core.customers.search.refresh import refresh_search_terms_from
from patron.kernel.intake.contract import Chunk

_BEST = """
    CREATE TEMP TABLE intake_home ON COMMIT DROP AS
    SELECT DISTINCT ON (p.customer_id) p.customer_id, p.branch_id
    FROM purchases_purchase AS p JOIN customers_customer AS c ON c.id = p.customer_id
    WHERE c.home_branch_id IS NULL AND p.branch_id IS NOT NULL AND p.kind = 'sale' AND p.status = 'completed'
    GROUP BY p.customer_id, p.branch_id
    ORDER BY p.customer_id, count(*) DESC, max(p.occurred_at) DESC, p.branch_id
"""


def give_home_branches(chunk: Chunk) -> int:
    """Set the home branch of customers without one; return how many got one. Idempotent.

    Customers that an import put on file also become findable here.
    """
    given = chunk.execute(_BEST)
    chunk.execute("ANALYZE intake_home")
    with chunk.bulk_insert():
        chunk.execute("""
            UPDATE customers_customer AS c SET home_branch_id = h.branch_id, changed_xid = pg_current_xact_id()
            FROM intake_home AS h WHERE h.customer_id = c.id
        """)
    refresh_search_terms_from("""
        SELECT customer_id FROM intake_home UNION
        SELECT c.id FROM customers_customer AS c LEFT JOIN customers_customersearch AS s ON s.customer_id = c.id
        WHERE s.customer_id IS NULL
    """)
    chunk.execute("DROP TABLE intake_home")
    return given
