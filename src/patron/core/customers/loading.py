"""Applying one chunk of a customer file: set-based SQL over the chunk's table, in the chunk's transaction.

The table comes with names put together, sex and language in codes, phones of the simple numbering plans in E.164
(`imports.py` says how); it is replaced by one that also carries `customer_id`, `is_new` and `branch_id`, which
extensions may use.
"""

from django.conf import settings

from patron.core.customers.phones import PLANS, normalised_phone
from patron.core.customers.search import refresh_search_terms_from
from patron.core.customers.story import tell_from
from patron.kernel.intake.contract import ApplyCounts, Chunk

# Columns of the file and of the customer that go by the same name; what a file leaves empty is left as it is.
PLAIN = ("name", "family_name", "given_name", "latin_name", "sex", "birth_on", "occupation", "language", "preferences",
         "registered_on")  # fmt: skip
ADDRESS = ("lines", "district", "city", "region", "country", "postcode", "latitude", "longitude")
MANY_ROWS = 20_000
CONSENTS = {f"consent_marketing_{channel}": channel for channel in ("sms", "email", "phone", "post", "any")}
KNOWN_PHONE = "^\\+(" + "|".join(
    f"{code}{pattern.removeprefix('0?')}" for code, pattern, _trunk in PLANS.values()
) + ")$"  # fmt: skip


def apply_customers(chunk: Chunk) -> ApplyCounts:
    """Insert who is new, fill in what changed, and say what became of the rows."""
    repeated = _leave_last(chunk)
    bad_phones = _normalise_phones(chunk)
    _resolve(chunk)
    chunk.execute("CREATE TEMP TABLE people_changed (customer_id bigint) ON COMMIT DROP")
    added = _insert_new(chunk)
    rows = chunk.execute(f"SELECT 1 FROM {chunk.table}")  # noqa: S608 (the engine's table)
    known = rows - added
    if known:
        _update_known(chunk)
    for kind, column in (("phone", "phone"), ("email", "email")):
        if column in chunk.columns:
            _contacts(chunk, kind, column, known=known)
    if chunk.columns.intersection(ADDRESS):
        _addresses(chunk, known=known)
    for column, channel in CONSENTS.items():
        if column in chunk.columns:
            _consents(chunk, column, channel, known=known)
    updated = _count(chunk, "SELECT count(DISTINCT customer_id) FROM people_changed")
    unknown_branch = _count(
        chunk,
        f"SELECT count(*) FROM {chunk.table} WHERE branch_code IS NOT NULL AND branch_id IS NULL",  # noqa: S608
    )
    _tell(chunk, updated=updated)
    _refresh_search(chunk, updated=updated)
    chunk.execute("DROP TABLE people_changed")
    counts = {"repeated_customer": repeated, "bad_phone": bad_phones, "unknown_branch": unknown_branch}
    return ApplyCounts(
        added=added,
        updated=updated,
        unchanged=known - updated,
        treated={code: number for code, number in counts.items() if number},
    )


def _count(chunk: Chunk, sql: str) -> int:
    chunk.execute(sql)
    row = chunk.cursor.fetchone()
    return int(row[0]) if row else 0


def _leave_last(chunk: Chunk) -> int:
    """Of rows about the same customer, leave the last."""
    return chunk.execute(f"""
        DELETE FROM {chunk.table} AS t USING (
            SELECT external_id, max(row_no) AS last FROM {chunk.table} GROUP BY external_id HAVING count(*) > 1
        ) AS repeated
        WHERE t.external_id = repeated.external_id AND t.row_no < repeated.last
    """)  # noqa: S608 (the engine's table)


def _normalise_phones(chunk: Chunk) -> int:
    """Put the phones that no simple plan knew through the library; those that are none are left out, and counted."""
    if "phone" not in chunk.columns:
        return 0
    chunk.execute(
        f"SELECT row_no, phone FROM {chunk.table} WHERE phone IS NOT NULL AND phone !~ %s",  # noqa: S608
        [KNOWN_PHONE],
    )
    rows = [(row, normalised_phone(text, region=settings.PHONE_REGION)) for row, text in chunk.cursor.fetchall()]
    if rows:
        chunk.execute(
            f"""
            UPDATE {chunk.table} AS t SET phone = n.phone
            FROM unnest(%s::bigint[], %s::text[]) AS n (row_no, phone) WHERE n.row_no = t.row_no
            """,  # noqa: S608 (the engine's table)
            [[row for row, _ in rows], [phone for _, phone in rows]],
        )
    return sum(1 for _row, phone in rows if phone is None)


def _resolve(chunk: Chunk) -> None:
    """Put in the chunk's place a table that says of each row whose it is: a customer on file, or a new id."""
    chunk.execute(
        f"""
        CREATE TEMP TABLE people_chunk ON COMMIT DROP AS
        SELECT t.*, coalesce(e.customer_id, nextval('customers_customer_id_seq')) AS customer_id,
            e.customer_id IS NULL AS is_new, b.id AS branch_id
        FROM {chunk.table} AS t
        LEFT JOIN customers_externalid AS e ON e.source = %s AND e.value = t.external_id
        LEFT JOIN accounts_branch AS b ON b.code = t.branch_code
        """,  # noqa: S608 (the engine's table)
        [chunk.source],
    )
    chunk.execute(f"DROP TABLE {chunk.table}")
    chunk.execute(f"ALTER TABLE people_chunk RENAME TO {chunk.table}")
    chunk.execute(f"ANALYZE {chunk.table}")


def _insert_new(chunk: Chunk) -> int:
    with chunk.bulk_insert():
        added = chunk.execute(f"""
            INSERT INTO customers_customer (
                id, number, kind, status, name, family_name, given_name, latin_name, sex, birth_on, occupation,
                language, preferred_channel, preferences, home_branch_id, photo, registered_on, attributes
            )
            SELECT customer_id, 'C' || lpad(n::text, greatest(7, length(n::text)), '0'), coalesce(kind, 'individual'),
                'active', coalesce(name, ''), coalesce(family_name, ''), coalesce(given_name, ''),
                coalesce(latin_name, ''), coalesce(sex, ''), birth_on, coalesce(occupation, ''), coalesce(language, ''),
                '', coalesce(preferences, ''), branch_id, '', registered_on, '{{}}'
            FROM (
                SELECT *, nextval('customers_number_seq') AS n
                FROM (SELECT * FROM {chunk.table} WHERE is_new ORDER BY row_no) AS ordered
            ) AS numbered
        """)  # noqa: S608 (the engine's table)
        chunk.execute(
            f"""
            INSERT INTO customers_externalid (customer_id, source, value)
            SELECT customer_id, %s, external_id FROM {chunk.table} WHERE is_new
            """,  # noqa: S608 (the engine's table)
            [chunk.source],
        )
    return added


def _update_known(chunk: Chunk) -> None:
    """Fill in what the file says otherwise than what is on file."""
    carried = [name for name in PLAIN if name in chunk.columns]
    if chunk.columns.intersection({"family_name", "given_name"}) and "name" not in carried:
        carried.append("name")
    new = {name: f"coalesce(t.{name}, c.{name})" for name in carried}
    if "branch_code" in chunk.columns:
        new["home_branch_id"] = "coalesce(t.branch_id, c.home_branch_id)"
    if not new:
        return
    chunk.execute(f"""
        WITH changed AS (
            UPDATE customers_customer AS c SET {", ".join(f"{name} = {value}" for name, value in new.items())}
            FROM {chunk.table} AS t
            WHERE c.id = t.customer_id AND NOT t.is_new
                AND ({", ".join(f"c.{name}" for name in new)}) IS DISTINCT FROM ({", ".join(new.values())})
            RETURNING c.id
        )
        INSERT INTO people_changed SELECT id FROM changed
    """)  # noqa: S608 (the engine's table, constants)


def _contacts(chunk: Chunk, kind: str, column: str, *, known: int) -> None:
    with chunk.bulk_insert():
        chunk.execute(
            f"""
            INSERT INTO customers_contactpoint (customer_id, kind, value, label, is_primary, source)
            SELECT customer_id, %s, {column}, '', true, %s FROM {chunk.table} WHERE is_new AND {column} IS NOT NULL
            """,  # noqa: S608 (the engine's table, constants)
            [kind, chunk.source],
        )
    if known:
        chunk.execute(
            f"""
            WITH added AS (
                INSERT INTO customers_contactpoint (customer_id, kind, value, label, is_primary, source)
                SELECT t.customer_id, %(kind)s, t.{column}, '', NOT EXISTS (
                    SELECT 1 FROM customers_contactpoint AS p
                    WHERE p.customer_id = t.customer_id AND p.kind = %(kind)s AND p.is_primary
                ), %(source)s
                FROM {chunk.table} AS t WHERE NOT t.is_new AND t.{column} IS NOT NULL
                ON CONFLICT (customer_id, kind, value) DO NOTHING
                RETURNING customer_id
            )
            INSERT INTO people_changed SELECT customer_id FROM added
            """,  # noqa: S608 (the engine's table, constants)
            {"kind": kind, "source": chunk.source},
        )


def _addresses(chunk: Chunk, *, known: int) -> None:
    texts = [name for name in ADDRESS if name not in ("latitude", "longitude")]
    values = ", ".join(
        [*(f"coalesce(t.{name}, '')" for name in texts), "t.latitude::numeric(9, 6)", "t.longitude::numeric(9, 6)"]
    )
    filled = f"coalesce({', '.join(f't.{name}' for name in ADDRESS)}) IS NOT NULL"
    columns = ", ".join((*texts, "latitude", "longitude"))
    insert = f"INSERT INTO customers_address (customer_id, label, is_primary, {columns}) SELECT t.customer_id, '', true, {values} FROM {chunk.table} AS t WHERE {filled}"  # noqa: E501, S608
    with chunk.bulk_insert():
        chunk.execute(f"{insert} AND t.is_new")
    if not known:
        return
    carried = [name for name in ADDRESS if name in chunk.columns]
    new = {
        name: f"coalesce(t.{name}{'::numeric(9, 6)' if name in ('latitude', 'longitude') else ''}, a.{name})"
        for name in carried
    }
    chunk.execute(f"""
        WITH changed AS (
            UPDATE customers_address AS a SET {", ".join(f"{name} = {value}" for name, value in new.items())}
            FROM {chunk.table} AS t
            WHERE a.customer_id = t.customer_id AND a.is_primary AND NOT t.is_new
                AND ({", ".join(f"a.{name}" for name in new)}) IS DISTINCT FROM ({", ".join(new.values())})
            RETURNING a.customer_id
        ), added AS (
            {insert} AND NOT t.is_new
                AND NOT EXISTS (
                    SELECT 1 FROM customers_address AS a WHERE a.customer_id = t.customer_id AND a.is_primary
                )
            RETURNING customer_id
        )
        INSERT INTO people_changed SELECT customer_id FROM changed UNION ALL SELECT customer_id FROM added
    """)  # noqa: S608 (the engine's table, constants)


def _consents(chunk: Chunk, column: str, channel: str, *, known: int) -> None:
    """A new answer where there was none, or another."""
    columns = "customer_id, purpose, channel, granted, given_at, source, recorded_by"
    values = f"t.customer_id, 'marketing', %(channel)s, t.{column}, %(now)s, %(source)s, %(by)s"
    params = {
        "channel": channel,
        "now": chunk.now,
        "source": f"import: {chunk.source}"[:60],
        "by": chunk.actor.reference,
    }
    with chunk.bulk_insert():
        chunk.execute(
            f"""
            INSERT INTO customers_consent ({columns})
            SELECT {values} FROM {chunk.table} AS t WHERE t.is_new AND t.{column} IS NOT NULL
            """,  # noqa: S608 (the engine's table, constants)
            params,
        )
    if known:
        chunk.execute(
            f"""
            WITH added AS (
                INSERT INTO customers_consent ({columns})
                SELECT {values} FROM {chunk.table} AS t
                WHERE NOT t.is_new AND t.{column} IS NOT NULL AND t.{column} IS DISTINCT FROM (
                    SELECT c.granted FROM customers_consent AS c
                    WHERE c.customer_id = t.customer_id AND c.purpose = 'marketing' AND c.channel = %(channel)s
                    ORDER BY c.given_at DESC, c.id DESC LIMIT 1
                )
                RETURNING customer_id
            )
            INSERT INTO people_changed SELECT customer_id FROM added
            """,  # noqa: S608 (the engine's table, constants)
            params,
        )


def _tell(chunk: Chunk, *, updated: int) -> None:
    """Tell the customers' stories: registered on the day that the file says, details changed now."""
    with chunk.bulk_insert():
        tell_from(
            f"""
            SELECT t.customer_id, 'customer.registered' AS kind,
                least(
                    coalesce((t.registered_on + time '12:00') AT TIME ZONE %(zone)s, %(now)s), %(now)s
                ) AS occurred_at,
                '' AS channel, t.branch_id, 'customers.customer:' || t.customer_id AS source,
                jsonb_build_object('imported_from', %(source)s::text) AS facts
            FROM {chunk.table} AS t WHERE t.is_new
            """,  # noqa: S608 (the engine's table)
            {"zone": settings.TIME_ZONE, "now": chunk.now, "source": chunk.source},
            actor=chunk.actor,
            now=chunk.now,
        )
    if updated:
        tell_from(
            """
            SELECT DISTINCT p.customer_id, 'customer.updated' AS kind, %(now)s::timestamptz AS occurred_at,
                '' AS channel,
                c.home_branch_id AS branch_id, 'customers.customer:' || p.customer_id AS source,
                jsonb_build_object('imported_from', %(source)s::text) AS facts
            FROM people_changed AS p JOIN customers_customer AS c ON c.id = p.customer_id
            """,
            {"now": chunk.now, "source": chunk.source},
            actor=chunk.actor,
            now=chunk.now,
        )


def _refresh_search(chunk: Chunk, *, updated: int) -> None:
    """Few rows are found at once; of many, those who are new have no terms yet, which `finish` makes."""
    if chunk.rows <= MANY_ROWS:
        refresh_search_terms_from(f"SELECT customer_id FROM {chunk.table}")  # noqa: S608 (the engine's table)
    elif updated:
        refresh_search_terms_from("SELECT DISTINCT customer_id FROM people_changed")
