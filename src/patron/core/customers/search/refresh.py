"""Keeping the search terms in step with what they are made from.

Few customers: their rows are replaced one by one, straight into the index (`fastupdate` is off: a search never has a
pending list to read). Many at once, as in an import of several chunks: the rows are only taken away, and
`complete_search_terms`, run at the end of an import and by a job every ten minutes, makes all that are missing: it
loads them by COPY and, where they are more than are there already, takes the index away before and builds it anew
after, in the same transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from patron.core.customers.search.providers import term_providers
from patron.core.customers.search.terms import terms_of
from patron.kernel.operation import inside_operation

INDEX = "customer_search_terms"
FEW = 1000
MANY = 20_000
_ONE_AT_A_TIME = 0x5EA2C4
_MAKE_INDEX = f"CREATE INDEX {INDEX} ON customers_customersearch USING gin (terms) WITH (fastupdate = off)"
_PHONES = """
    SELECT customer_id, value FROM customers_contactpoint
    WHERE kind IN ('phone', 'whatsapp') AND customer_id {customers}
"""


@inside_operation
def refresh_search_terms(customer_ids: Iterable[int]) -> int:
    """Write the terms of these customers anew, inside the caller's transaction, and return how many there were."""
    ids = sorted(set(customer_ids))
    if not ids:
        return 0
    with connection.cursor() as cursor:
        if len(ids) > FEW:
            cursor.execute("DROP TABLE IF EXISTS search_wanted")
            cursor.execute("CREATE TEMP TABLE search_wanted (customer_id bigint PRIMARY KEY) ON COMMIT DROP")
            with cursor.copy("COPY search_wanted FROM STDIN") as copy:
                for customer_id in ids:
                    copy.write_row((customer_id,))
            return _refresh_wanted(cursor)
        cursor.execute(_source_sql("= ANY(%(ids)s)"), {"ids": ids})
        rows = [(customer_id, terms) for customer_id, terms in _made(cursor)]
        cursor.execute(
            """
            INSERT INTO customers_customersearch (customer_id, terms)
            SELECT made.id, made.terms::text[] FROM unnest(%s::bigint[], %s::text[]) AS made (id, terms)
            ON CONFLICT (customer_id) DO UPDATE SET terms = excluded.terms
            WHERE customers_customersearch.terms <> excluded.terms
            """,
            [[customer_id for customer_id, _ in rows], [terms for _, terms in rows]],
        )
        return len(rows)


@inside_operation
def refresh_search_terms_from(select_sql: str, params: Sequence[Any] = ()) -> int:
    """The same for the customers whose ids `select_sql` (our own SQL) gives in its only column, set-based.

    More than MANY are found again only after `complete_search_terms`, which an importer calls in its `finish`.
    """
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS search_wanted")
        cursor.execute("CREATE TEMP TABLE search_wanted (customer_id bigint PRIMARY KEY) ON COMMIT DROP")
        cursor.execute(
            f"INSERT INTO search_wanted SELECT wanted.id FROM ({select_sql}) AS wanted (id) "  # noqa: S608 (our own SQL)
            "WHERE wanted.id IS NOT NULL ON CONFLICT DO NOTHING",
            params or None,
        )
        if cursor.rowcount > MANY:
            wanted = int(cursor.rowcount)
            _forget_wanted(cursor)
            return wanted
        return _refresh_wanted(cursor)


@inside_operation
def complete_search_terms() -> int:
    """Make the terms of every customer who has none, one transaction at a time, and return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        cursor.execute("DROP TABLE IF EXISTS search_wanted")
        cursor.execute("CREATE TEMP TABLE search_wanted (customer_id bigint) ON COMMIT DROP")
        cursor.execute(
            "INSERT INTO search_wanted SELECT c.id FROM customers_customer AS c "
            "LEFT JOIN customers_customersearch AS s ON s.customer_id = c.id WHERE s.customer_id IS NULL"
        )
        return _refresh_wanted(cursor) if cursor.rowcount else 0


def _source_sql(customers: str) -> str:
    """What terms are made from; `customers` is the condition on a customer's id."""
    tails = " UNION ALL ".join([_PHONES, *(provider.select for provider in term_providers)])
    return f"""
        SELECT c.id, c.name, c.family_name, c.latin_name, c.home_branch_id, codes.tails
        FROM customers_customer AS c
        LEFT JOIN (
            SELECT told.customer_id, array_agg(told.code) AS tails
            FROM ({tails.replace("{customers}", customers)}) AS told (customer_id, code)
            GROUP BY told.customer_id
        ) AS codes ON codes.customer_id = c.id
        WHERE c.id {customers}
    """  # noqa: S608 (constants and registered SELECTs)


def _made(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, str]]:
    """Each customer's id with the terms as a PostgreSQL array literal."""
    for customer_id, name, family_name, latin_name, branch_id, tails in rows:
        terms = terms_of(
            name=name, family_name=family_name, latin_name=latin_name, branch_id=branch_id, tails=tails or ()
        )
        yield customer_id, '{"' + '","'.join(terms) + '"}' if terms else "{}"


def _refresh_wanted(cursor: CursorWrapper) -> int:
    """Load the terms of everyone in the temp table `search_wanted`."""
    cursor.execute("ANALYZE search_wanted")
    cursor.execute(
        "SELECT (SELECT count(*) FROM search_wanted), (SELECT count(*) FROM (SELECT 1 FROM customers_customersearch "
        "LIMIT (SELECT count(*) FROM search_wanted)) AS there)"
    )
    wanted, there = cursor.fetchone()
    if not wanted:
        return 0
    rebuild = wanted > FEW and there < wanted
    if rebuild:
        cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")
    if there:
        _forget_wanted(cursor)
    _copy_terms(cursor)
    if rebuild:
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute(_MAKE_INDEX)
        cursor.execute("ANALYZE customers_customersearch")
    return int(wanted)


def _forget_wanted(cursor: CursorWrapper) -> None:
    cursor.execute(
        "DELETE FROM customers_customersearch AS s USING search_wanted AS w WHERE w.customer_id = s.customer_id"
    )


def _copy_terms(cursor: CursorWrapper) -> None:
    """Read what terms are made from, make them, and COPY them in, 50,000 customers at a time."""
    cursor.execute(
        "DECLARE search_source NO SCROLL CURSOR FOR "  # noqa: S608 (our own SQL)
        + _source_sql("IN (SELECT customer_id FROM search_wanted)")
    )
    while True:
        cursor.execute("FETCH 50000 FROM search_source")
        rows = cursor.fetchall()
        if not rows:
            break
        text = "".join([f"{customer_id}\t{terms}\n" for customer_id, terms in _made(rows)])
        with cursor.copy("COPY customers_customersearch (customer_id, terms) FROM STDIN") as copy:
            copy.write(text)
    cursor.execute("CLOSE search_source")
