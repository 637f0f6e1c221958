"""Which customers, products and branches the rows mean; those that are not on file yet come into being.

A file may be the only thing there is: customers, products and branches that appear in its lines are put on file with
what the lines say of them, in the same transaction.
"""

from dataclasses import dataclass

from django.conf import settings

from patron.core.activities.operations import log_activities_from
from patron.kernel.intake.contract import Chunk
from patron.kernel.registries import Registry


@dataclass(frozen=True, slots=True)
class Identifier:
    """A way to know a customer beside external id and customer number, for example a card number.

    `select` is a SELECT giving (value, customer_id) for the values in column `value` of table `intake_asked`.
    """

    name: str
    select: str


identifiers: Registry[Identifier] = Registry("customer identifier", name=lambda i: i.name)


def resolve_customers(chunk: Chunk) -> int:
    """Make the table `intake_who` (value, customer_id) for the chunk's customers; return how many were created.

    A value is an external id of the run's source, else a customer number, else what a registered identifier knows;
    else it is a customer not on file yet.
    """
    chunk.execute("CREATE TEMP TABLE intake_who (value text, customer_id bigint) ON COMMIT DROP")
    chunk.execute(
        "CREATE TEMP TABLE intake_asked ON COMMIT DROP AS "
        f"SELECT DISTINCT customer AS value FROM {chunk.groups} WHERE customer IS NOT NULL"
    )
    chunk.execute("ANALYZE intake_asked")
    known_by_source = """
        SELECT a.value, e.customer_id FROM intake_asked AS a
        JOIN customers_externalid AS e ON e.source = %(source)s AND e.value = a.value
    """
    known_by_number = "SELECT a.value, c.id FROM intake_asked AS a JOIN customers_customer AS c ON c.number = a.value"
    for select in (known_by_source, known_by_number, *(identifier.select for identifier in identifiers)):
        if chunk.execute(f"INSERT INTO intake_who {select}", {"source": chunk.source}):
            chunk.execute("DELETE FROM intake_asked AS a USING intake_who AS w WHERE w.value = a.value")
    created = _create_customers(chunk)
    chunk.execute("ANALYZE intake_who")
    chunk.execute("DROP TABLE intake_asked")
    return created


def _create_customers(chunk: Chunk) -> int:
    """Put those still asked for on file, in the order in which they appear, known from their first purchase on."""
    created = chunk.execute(
        f"""
        CREATE TEMP TABLE intake_born ON COMMIT DROP AS
        SELECT nextval(pg_get_serial_sequence('customers_customer', 'id')) AS id,
            patron_next_customer_number() AS number, value, first_at
        FROM (
            SELECT a.value, min(c.occurred_at) AS first_at FROM intake_asked AS a
            JOIN {chunk.groups} AS c ON c.customer = a.value GROUP BY a.value ORDER BY min(c.group_no)
        ) AS first
        """
    )
    if created:
        with chunk.bulk_insert():
            chunk.execute(
                """
                INSERT INTO customers_customer (id, number, kind, status, name, family_name, given_name, latin_name,
                    sex, occupation, language, preferred_channel, preferences, photo, attributes, registered_on)
                SELECT id, number, 'individual', 'active', '', '', '', '', '', '', '', '', '', '', '{}'::jsonb,
                    (first_at AT TIME ZONE %(zone)s)::date
                FROM intake_born
                """,
                {"zone": settings.TIME_ZONE},
            )
            chunk.execute(
                "INSERT INTO customers_externalid (customer_id, source, value) "
                "SELECT id, %(source)s, value FROM intake_born",
                {"source": chunk.source},
            )
            log_activities_from(
                "SELECT id AS customer_id, 'customer.registered' AS kind, first_at AS occurred_at, "
                "'import' AS channel, "
                "NULL::bigint AS branch_id, 'customers.customer:' || id AS source, '{}'::jsonb AS facts "
                "FROM intake_born",
                actor=chunk.actor,
                now=chunk.now,
            )
        chunk.execute("INSERT INTO intake_who SELECT value, id FROM intake_born")
    chunk.execute("DROP TABLE intake_born")
    return created


def create_products(chunk: Chunk) -> int:
    """Put products on file that only the lines know: code, the description most often given, category."""
    missing = chunk.execute(f"""
        CREATE TEMP TABLE intake_missing ON COMMIT DROP AS
        SELECT asked.code
        FROM (SELECT DISTINCT product_code AS code FROM {chunk.table} WHERE product_code IS NOT NULL) AS asked
        WHERE NOT EXISTS (SELECT FROM catalog_product AS p WHERE p.code = asked.code)
    """)
    if not missing:
        chunk.execute("DROP TABLE intake_missing")
        return 0
    chunk.execute(f"""
        CREATE TEMP TABLE intake_new_product ON COMMIT DROP AS
        SELECT code, {_most_frequent(chunk, "description")} AS name, {_most_frequent(chunk, "category")} AS category
        FROM intake_missing JOIN {chunk.table} AS c ON c.product_code = code GROUP BY code
    """)
    if "category" in chunk.columns:
        chunk.execute("""
            INSERT INTO catalog_category (name, path, depth)
            SELECT DISTINCT category, category, 0 FROM intake_new_product WHERE category IS NOT NULL
            ON CONFLICT (path) DO NOTHING
        """)
    with chunk.bulk_insert():
        created = chunk.execute("""
            INSERT INTO catalog_product (code, name, brand, unit, barcode, is_active, attributes, category_id)
            SELECT n.code, coalesce(n.name, n.code), '', '', '', true, '{}'::jsonb, g.id
            FROM intake_new_product AS n LEFT JOIN catalog_category AS g ON g.path = n.category
            ORDER BY n.code ON CONFLICT (code) DO NOTHING
        """)
    chunk.execute("DROP TABLE intake_missing, intake_new_product")
    return created


def _most_frequent(chunk: Chunk, name: str) -> str:
    return f"mode() WITHIN GROUP (ORDER BY c.{name})" if name in chunk.columns else "NULL::text"


def create_branches(chunk: Chunk) -> int:
    """Put branches on file that only the lines know: their code is their name until someone says more."""
    if "branch" not in chunk.columns:
        return 0
    return chunk.execute(
        f"""
        INSERT INTO accounts_branch (code, name, address, city, country, time_zone, opening_hours, phone, is_active)
        SELECT DISTINCT c.branch, c.branch, '', '', '', %(zone)s, '{{}}'::jsonb, '', true
        FROM {chunk.groups} AS c LEFT JOIN accounts_branch AS b ON b.code = c.branch
        WHERE c.branch IS NOT NULL AND b.id IS NULL ON CONFLICT (code) DO NOTHING
        """,
        {"zone": settings.TIME_ZONE},
    )
