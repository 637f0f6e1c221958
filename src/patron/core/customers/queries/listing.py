"""The list of customers: filtered, in one of a few orders, page by page in both directions.

Keyset paging: a page begins after the position where the last one ended, so that the thousandth costs what the
first does. Orders by value and by last visit walk the index of the published insights; customers without any come
after all others, in the order of their ids.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.db import connection

from patron.core.customers.filters import ALL_STATUSES, CustomerFilter
from patron.core.customers.queries.file import shown_contact
from patron.core.customers.queries.visible import sees_personal
from patron.core.customers.search import matching_ids, name_conditions
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused

PAGE = 50
COUNTED = 10_000
"""Up to so many the count is exact."""

FEW = 2_000
"""So few are listed from their ids: walking an order in search of them would look at everybody else."""


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer as a list shows them. `score` is the money of twelve months; `phone` is masked where it must be."""

    id: int
    number: str
    name: str
    latin_name: str
    kind: str
    status: str
    branch: str
    value_class: str
    score: Decimal | None
    vip: bool
    stage: str
    at_risk: bool
    last_visit_on: date | None
    registered_on: date | None
    phone: str = ""


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Some rows, and where to go on: `after` for the next page, `before` for the previous one, empty at the ends."""

    rows: tuple[CustomerRow, ...]
    after: str
    before: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; `exact` up to COUNTED, beyond that the planner's estimate. `ids` where they are FEW."""

    number: int
    exact: bool
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of an order: rows that meet `where`, by `key` and then by id. Without key, by id alone."""

    where: str
    key: str = ""
    cast: str = "text"


@dataclass(frozen=True, slots=True)
class _Order:
    parts: tuple[_Part, ...]
    descending: bool = False


_BY_RANK = (_Part("v.rank IS NOT NULL", "v.rank", "bigint"), _Part("v.rank IS NULL"))
_BY_VISIT = (
    _Part("l.facts ->> 'last_on' IS NOT NULL", "l.facts ->> 'last_on'"),
    _Part("l.facts ->> 'last_on' IS NULL"),
)
_BY_NAME, _BY_NUMBER = (_Part("true", "c.name"),), (_Part("true", "c.number"),)
_ORDERS = {
    "-value": _Order(_BY_RANK),  # the highest value is rank 1
    "value": _Order(_BY_RANK, descending=True),
    "last_visit": _Order(_BY_VISIT),
    "-last_visit": _Order(_BY_VISIT, descending=True),
    "name": _Order(_BY_NAME),
    "-name": _Order(_BY_NAME, descending=True),
    "number": _Order(_BY_NUMBER),
    "-number": _Order(_BY_NUMBER, descending=True),
}
_FROM = """
    FROM customers_customer AS c
    LEFT JOIN customers_insight AS v ON v.customer_id = c.id AND v.model = 'value'
    LEFT JOIN customers_insight AS l ON l.customer_id = c.id AND l.model = 'lifecycle'
    LEFT JOIN accounts_branch AS b ON b.id = c.home_branch_id
"""
_COLUMNS = """
    c.id, c.number, c.name, c.latin_name, c.kind, c.status, coalesce(b.name, ''), coalesce(v.label, ''), v.score,
    coalesce((v.facts ->> 'vip')::boolean, false), coalesce(l.label, ''),
    coalesce((l.facts ->> 'at_risk')::boolean, false), (l.facts ->> 'last_on')::date, c.registered_on
"""


_Way = Literal["walk", "gather", "count"]


@dataclass(slots=True)
class _Conditions:
    """SQL conditions with their parameters, by name."""

    sql: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    nothing: bool = False

    def add(self, sql: str, **params: Any) -> None:
        self.sql.append(sql)
        self.params.update(params)


def list_customers(
    wanted: CustomerFilter,
    actor: Actor,
    *,
    today: date,
    after: str = "",
    before: str = "",
    limit: int = PAGE,
    only: Sequence[int] | None = None,
) -> CustomerPage:
    """A page of the customers whom `actor` may see and `wanted` describes, with their phones.

    `after` and `before` are positions that an earlier page gave (one that cannot be read starts over); `only` narrows
    to these ids. Three queries, one more where the text is a common name or the page crosses to those without
    insights. Raises PermissionRefused without `customers.view`.
    """
    # By name, those of one name stand together, perhaps at the far end: they are found by their terms.
    way: _Way = "gather" if wanted.sort in ("name", "-name") else "walk"
    conditions = _conditions(wanted, actor, today=today, only=only, way=way)
    if conditions.nothing:
        return CustomerPage((), "", "")
    order = _ORDERS[wanted.sort]
    position = _read(after or before, order)
    backwards = bool(before) and not after and position is not None
    found = _walk(order, conditions, position, backwards=backwards, limit=limit + 1)
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    rows = _with_phones([row for _position, row in found], actor)
    return CustomerPage(
        rows=tuple(rows),
        after=_written(found[-1][0]) if found and (more or backwards) else "",
        before=_written(found[0][0]) if found and (more if backwards else position is not None) else "",
    )


def walk_customers(
    wanted: CustomerFilter, actor: Actor, *, today: date, only: Sequence[int] | None = None
) -> Iterator[CustomerRow]:
    """Every row of the list, in its order, a thousand to a query: for files and bulk work."""
    after = ""
    while True:
        page = list_customers(wanted, actor, today=today, after=after, limit=1000, only=only)
        yield from page.rows
        after = page.after
        if not after:
            return


def count_customers(wanted: CustomerFilter, actor: Actor, *, today: date, only: Sequence[int] | None = None) -> Count:
    """How many the list has. Give `ids`, where there are any, to `list_customers` as `only`.

    One query, two where there are more than COUNTED.
    """
    conditions = _conditions(wanted, actor, today=today, only=only, way="count")
    if conditions.nothing:
        return Count(0, exact=True, ids=())
    select = f"SELECT c.id {_FROM} WHERE {' AND '.join(conditions.sql)}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), CASE WHEN count(*) <= {FEW} THEN array_agg(id) END "  # noqa: S608 (constants)
            f"FROM ({select} LIMIT {COUNTED + 1}) AS counted",
            conditions.params,
        )
        number, ids = cursor.fetchone()
        if number <= COUNTED:
            return Count(number, exact=True, ids=tuple(ids or ()) if number <= FEW else None)
        cursor.execute(f"EXPLAIN (FORMAT JSON) {select}", conditions.params)
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return Count(max(int(plan[0]["Plan"]["Plan Rows"]), COUNTED), exact=False)


def _conditions(
    wanted: CustomerFilter, actor: Actor, *, today: date, only: Sequence[int] | None, way: _Way
) -> _Conditions:
    if not actor.can("customers.view"):
        raise PermissionRefused(details={"permission": "customers.view"})
    conditions = _Conditions(sql=["true"])
    add = conditions.add
    if actor.branch_ids is not None:
        add("c.home_branch_id = ANY(%(bound)s::bigint[])", bound=sorted(actor.branch_ids))
    if only is not None:
        add("c.id = ANY(%(only)s::bigint[])", only=list(only))
    if not wanted.status:
        add("c.status <> 'archived'")
    elif wanted.status != ALL_STATUSES:
        add("c.status = %(status)s", status=wanted.status)
    if wanted.kind:
        add("c.kind = %(kind)s", kind=wanted.kind)
    if wanted.branch:
        add("c.home_branch_id = (SELECT id FROM accounts_branch WHERE code = %(branch)s)", branch=wanted.branch)
    if wanted.owner is not None:
        add("c.owner_id = %(owner)s", owner=wanted.owner)
    if wanted.value:
        add("v.label = %(value)s", value=wanted.value)
    if wanted.vip:
        add("(v.facts ->> 'vip') = 'true'")
    if wanted.stage:
        add("l.label = %(stage)s", stage=wanted.stage)
    if wanted.at_risk:
        add("l.model = 'lifecycle' AND (l.facts ->> 'at_risk') = 'true'")
    _add_days(conditions, wanted, today)
    if wanted.consent:
        add(_ALLOWED, consent=wanted.consent)
    if wanted.q:
        _add_text(conditions, wanted.q, actor, way)
    return conditions


# What was said last about this channel or about any.
_ALLOWED = """(
    SELECT s.granted FROM customers_consent AS s
    WHERE s.customer_id = c.id AND s.purpose = 'marketing' AND s.channel IN (%(consent)s, 'any')
    ORDER BY s.given_at DESC, s.id DESC LIMIT 1
)"""


def _add_days(conditions: _Conditions, wanted: CustomerFilter, today: date) -> None:
    last_on = "l.facts ->> 'last_on'"
    if wanted.unseen_days is not None:
        conditions.add(f"{last_on} <= %(unseen)s", unseen=(today - timedelta(days=wanted.unseen_days)).isoformat())
    if wanted.seen_since:
        conditions.add(f"{last_on} >= %(seen_since)s", seen_since=wanted.seen_since.isoformat())
    if wanted.seen_until:
        conditions.add(f"{last_on} <= %(seen_until)s", seen_until=wanted.seen_until.isoformat())
    if wanted.registered_since:
        conditions.add("c.registered_on >= %(registered_since)s", registered_since=wanted.registered_since)
    if wanted.registered_until:
        conditions.add("c.registered_on <= %(registered_until)s", registered_until=wanted.registered_until)


def _add_text(conditions: _Conditions, text: str, actor: Actor, way: _Way) -> None:
    """Who `text` may mean: by id, or where too many share a name, by their terms.

    Walking in an order looks each customer's terms up on the way (the subquery cannot be turned into a join);
    gathering reads all ids from the index of the terms first; counting leaves the plan to the planner.
    """
    ids, crowded = matching_ids(text, actor=actor)
    if not crowded:
        conditions.add("c.id = ANY(%(found)s::bigint[])", found=ids)
        conditions.nothing = not ids
        return
    ways = []
    for number, words in enumerate(name_conditions(text)):
        source = "customers_customersearch AS s WHERE s.customer_id = c.id"
        holds = f"s.terms @> %(all_of{number})s::text[]"
        conditions.params[f"all_of{number}"] = list(words.all_of)
        for position, word in enumerate(words.starts):
            holds += f" AND EXISTS (SELECT FROM unnest(s.terms) AS t WHERE starts_with(t, %(word{number}_{position})s))"
            conditions.params[f"word{number}_{position}"] = word
        found = f"SELECT s.customer_id FROM customers_customersearch AS s WHERE {holds}"  # noqa: S608 (constants)
        match way:
            case "walk":
                ways.append(f"(SELECT {holds} FROM {source})")  # noqa: S608 (constants)
            case "gather":
                ways.append(f"c.id = ANY(ARRAY({found}))")
            case "count":
                ways.append(f"c.id IN ({found})")
    conditions.add(f"({' OR '.join(ways)})")


_Position = tuple[int, Any, int]
"""Which part of the order, the key there, the id."""


def _walk(
    order: _Order, conditions: _Conditions, position: _Position | None, *, backwards: bool, limit: int
) -> list[tuple[_Position, CustomerRow]]:
    """Rows from `position` on, part after part, until there are `limit`."""
    numbers = range(len(order.parts))
    found: list[tuple[_Position, CustomerRow]] = []
    for number in reversed(numbers) if backwards else numbers:
        if position is not None and (number > position[0] if backwards else number < position[0]):
            continue
        start = position if position is not None and number == position[0] else None
        part = order.parts[number]
        down = (order.descending and bool(part.key)) != backwards
        for key, row in _part_rows(part, conditions, start, down=down, limit=limit - len(found)):
            found.append(((number, key, row.id), row))
        if len(found) >= limit:
            break
    return found


def _part_rows(
    part: _Part, conditions: _Conditions, start: _Position | None, *, down: bool, limit: int
) -> list[tuple[Any, CustomerRow]]:
    sql, params = [*conditions.sql, part.where], dict(conditions.params)
    beyond, direction = ("<", "DESC") if down else (">", "ASC")
    keys = f"{part.key}, c.id" if part.key else "c.id"
    if start is not None:
        params |= {"start_key": start[1], "start_id": start[2]}
        given = f"%(start_key)s::{part.cast}, %(start_id)s" if part.key else "%(start_id)s"
        sql.append(f"({keys}) {beyond} ({given})")
    order = ", ".join(f"{key} {direction}" for key in keys.split(", "))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {part.key or 'NULL'} AS key, {_COLUMNS} {_FROM} WHERE {' AND '.join(sql)} "
            f"ORDER BY {order} LIMIT {limit}",
            params,
        )
        return [(row[0], CustomerRow(*row[1:])) for row in cursor.fetchall()]


def _with_phones(rows: list[CustomerRow], actor: Actor) -> list[CustomerRow]:
    """The rows with each customer's first phone. One query."""
    if not rows:
        return rows
    masked = not sees_personal(actor)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (customer_id) customer_id, value FROM customers_contactpoint "
            "WHERE customer_id = ANY(%s) AND kind = 'phone' ORDER BY customer_id, is_primary DESC, id",
            [[row.id for row in rows]],
        )
        phones = {key: shown_contact("phone", value, masked=masked) for key, value in cursor.fetchall()}
    return [replace(row, phone=phones.get(row.id, "")) for row in rows]


def _written(position: _Position) -> str:
    text = json.dumps(position, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(text: str, order: _Order) -> _Position | None:
    """The position, if it is one of this order."""
    try:
        number, key, row_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError):
        return None
    if type(number) is not int or type(row_id) is not int or not 0 <= number < len(order.parts):
        return None
    part = order.parts[number]
    wanted = type(None) if not part.key else int if part.cast == "bigint" else str
    return (number, key, row_id) if type(key) is wanted and abs(row_id) < 2**63 else None
