"""Searching. Each part of what was typed is one look-up in an index; together they give some hundred candidates, which
are ranked: active before archived, exact before beginning, then by value.

A name that thousands share (王) is cut off at CANDIDATES rows; then the best customers of that name are found the
other way round, by walking down the ranking by value as far as WALK.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from patron.core.customers.phones import normalised_phone
from patron.core.customers.search.providers import term_providers
from patron.core.customers.search.terms import TAIL, Query, Words, parse
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused

CANDIDATES = 300
WALK = 1000
LISTED = 5000
Part = tuple[str, dict[str, Any]]
_EMAILS = "SELECT customer_id FROM customers_contactpoint WHERE kind = 'email'"


@dataclass(frozen=True, slots=True)
class Found:
    """A customer who was found. `exact` says that what was typed is their number, phone, card or full name."""

    id: int
    number: str
    name: str
    latin_name: str
    kind: str
    status: str
    value_class: str
    vip: bool
    exact: bool


def search_customers(text: str, *, actor: Actor, limit: int = 20) -> list[Found]:
    """The customers whom `actor` may see and `text` may mean, best first; none for a text that means nothing.

    Two queries at most. Raises PermissionRefused without `customers.view`.
    """
    if not actor.can("customers.view"):
        raise PermissionRefused(details={"permission": "customers.view"})
    query = parse(text)
    if not query or actor.branch_ids == frozenset():
        return []
    with connection.cursor() as cursor:
        candidates, crowded = _candidates(cursor, query, actor, CANDIDATES)
        if crowded:
            candidates += _best_of_many(cursor, query, actor, limit)
        return _ranked(cursor, query, candidates, actor, limit) if candidates else []


def matching_ids(text: str, *, actor: Actor) -> tuple[list[int], bool]:
    """The ids of at most LISTED customers that `text` may mean, and whether there are more."""
    query = parse(text)
    if not query or actor.branch_ids == frozenset():
        return [], False
    with connection.cursor() as cursor:
        candidates, crowded = _candidates(cursor, query, actor, LISTED)
    return sorted({customer_id for customer_id, _weight in candidates}), crowded


def exact_ids(text: str) -> list[int]:
    """The ids of those whose number, whole phone, e-mail, external id or card `text` is, whoever may see them."""
    query = parse(text)
    parts = [part for part, weight in _parts(query, None) if weight == 2]
    if not parts:
        return []
    with connection.cursor() as cursor:
        return sorted({customer_id for customer_id, _ in _run(cursor, [(part, 2) for part in parts], CANDIDATES)})


def name_conditions(text: str) -> list[Words]:
    """The ways in which `text` may be a name, for a list that walks its own order."""
    return list(parse(text).names)


def _parts(query: Query, actor: Actor | None) -> list[tuple[Part, int]]:
    """The look-ups that the query asks for, each with its weight: 2 exact, 1 by beginning or end, 0 by name."""
    parts: list[tuple[Part, int]] = []
    if query.code:
        parts += [(part, 2) for part in _code_parts(query)]
    if query.tail:
        parts.append((_tail_part(query.tail), 1))
    if query.email:
        parts.append(((f"{_EMAILS} AND value = %(email)s", {"email": query.email}), 2))
        if actor is not None:
            parts.append(((f"{_EMAILS} AND value LIKE %(like)s", {"like": _like(query.email)}), 1))
    if actor is not None:
        parts += [(_name_part(words, actor), 0) for words in query.names]
    return parts


def _code_parts(query: Query) -> list[Part]:
    code = query.code
    digits = code.removeprefix("c")
    number = f"C{digits.zfill(7)}" if digits.isdigit() else code.upper()
    spellings = sorted({query.typed, query.typed.upper(), code, code.upper()})
    parts: list[Part] = [
        ("SELECT id AS customer_id FROM customers_customer WHERE number = %(number)s", {"number": number}),
        ("SELECT customer_id FROM customers_externalid WHERE value = ANY(%(codes)s)", {"codes": spellings}),
        *((provider.find, {"code": code}) for provider in term_providers),
    ]
    phone = normalised_phone(query.typed, region=settings.PHONE_REGION) if len(code) >= 7 and code.isdigit() else None
    if phone:
        parts.append((
            "SELECT customer_id FROM customers_contactpoint WHERE kind = ANY('{phone,whatsapp}') AND value = %(phone)s",
            {"phone": phone},
        ))  # fmt: skip
    return parts


def _tail_part(tail: str) -> Part:
    sql = "SELECT s.customer_id FROM customers_customersearch AS s WHERE s.terms @> ARRAY[%(tail)s]"
    params = {"tail": f"~{tail[-TAIL:]}"}
    if len(tail) > TAIL:
        sql += (
            " AND EXISTS (SELECT 1 FROM customers_contactpoint AS p WHERE p.customer_id = s.customer_id"
            " AND p.kind = ANY('{phone,whatsapp}') AND p.value LIKE %(ends)s)"
        )
        params["ends"] = f"%{tail}"
    return sql, params


def _name_part(words: Words, actor: Actor) -> Part:
    condition, params = _name_condition(words, actor)
    return f"SELECT s.customer_id FROM customers_customersearch AS s WHERE {condition}", params  # noqa: S608 (constants)


def _name_condition(words: Words, actor: Actor) -> Part:
    condition = "s.terms @> %(all_of)s::text[]"
    params: dict[str, Any] = {"all_of": list(words.all_of)}
    if actor.branch_ids is not None:
        condition += " AND s.terms && %(branches)s::text[]"
        params["branches"] = [f"#{branch_id}" for branch_id in sorted(actor.branch_ids)]
    for position, word in enumerate(words.starts):
        condition += f" AND EXISTS (SELECT 1 FROM unnest(s.terms) AS t WHERE starts_with(t, %(word{position})s))"  # noqa: S608
        params[f"word{position}"] = word
    return condition, params


def _like(beginning: str) -> str:
    return beginning.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"


def _run(cursor: Any, parts: Sequence[tuple[Part, int]], most: int) -> list[tuple[int, int]]:
    """Run the look-ups as one statement: (customer id, weight), each cut off after `most` + 1 rows."""
    selects, params = [], {}
    for number, ((sql, given), weight) in enumerate(parts):
        renamed = sql
        for name, value in given.items():
            renamed = renamed.replace(f"%({name})s", f"%({name}_{number})s")
            params[f"{name}_{number}"] = value
        selects.append(f"(SELECT customer_id, {weight} FROM ({renamed}) AS p{number} LIMIT {most + 1})")  # noqa: S608
    cursor.execute(" UNION ALL ".join(selects), params)
    return [(int(customer_id), int(weight)) for customer_id, weight in cursor.fetchall()]


def _candidates(cursor: Any, query: Query, actor: Actor, most: int) -> tuple[list[tuple[int, int]], bool]:
    rows = _run(cursor, _parts(query, actor), most)
    crowded = sum(1 for _id, weight in rows if weight == 0) > most
    return rows, crowded


def _best_of_many(cursor: Any, query: Query, actor: Actor, limit: int) -> list[tuple[int, int]]:
    """Those of a crowd who stand high in the ranking by value."""
    found: list[tuple[int, int]] = []
    for words in query.names:
        condition, params = _name_condition(words, actor)
        cursor.execute(
            f"""
            SELECT i.customer_id FROM customers_insight AS i
            JOIN customers_customersearch AS s ON s.customer_id = i.customer_id
            WHERE i.model = 'value' AND i.rank <= {WALK} AND {condition}
            ORDER BY i.rank LIMIT {limit}
            """,  # noqa: S608 (constants)
            params,
        )
        found += [(int(row[0]), 0) for row in cursor.fetchall()]
    return found


def _ranked(cursor: Any, query: Query, candidates: Sequence[tuple[int, int]], actor: Actor, limit: int) -> list[Found]:
    weights: dict[int, int] = {}
    for customer_id, weight in candidates:
        weights[customer_id] = max(weight, weights.get(customer_id, 0))
    cursor.execute(
        """
        SELECT * FROM (
            SELECT c.id, c.number, c.name, c.latin_name, c.kind, c.status, coalesce(i.label, ''),
                coalesce((i.facts ->> 'vip')::boolean, false),
                w.weight = 2 OR c.name = %(typed)s OR lower(c.latin_name) = lower(%(typed)s) AS exact,
                w.weight, c.name LIKE %(like)s OR lower(c.latin_name) LIKE lower(%(like)s) AS begins, i.rank
            FROM unnest(%(ids)s::bigint[], %(weights)s::int[]) AS w (id, weight)
            JOIN customers_customer AS c ON c.id = w.id
            LEFT JOIN customers_insight AS i ON i.customer_id = c.id AND i.model = 'value'
            WHERE %(branches)s::bigint[] IS NULL OR c.home_branch_id = ANY(%(branches)s::bigint[])
        ) AS found
        ORDER BY status <> 'active', exact DESC, weight DESC, begins DESC, rank NULLS LAST, id
        LIMIT %(limit)s
        """,
        {
            "typed": query.typed,
            "like": _like(query.typed),
            "ids": list(weights),
            "weights": list(weights.values()),
            "branches": None if actor.branch_ids is None else sorted(actor.branch_ids),
            "limit": limit,
        },
    )
    return [Found(*row[:9]) for row in cursor.fetchall()]
