"""Groups of customers: the profit table, what sets each group apart, who is in it, and who moved."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

PAGE = 25


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One line of the segment profit table. Shares are 0 to 1; None where it is not known."""

    cluster: int
    customers: int
    customer_share: float
    revenue: Decimal
    revenue_share: float | None
    product_index: float | None
    leverage: float | None
    tenure_months: float | None
    profit: Decimal | None
    profit_share: float | None
    treatment: str


@dataclass(frozen=True, slots=True)
class TraitRow:
    """A feature of a group beside everybody's; `z` is the distance in standard deviations."""

    cluster: int
    feature: str
    level: str
    mean: float
    overall: float
    z: float


@dataclass(frozen=True, slots=True)
class Move:
    """Customers by the group of 13 weeks ago and of today; 0 is neither."""

    from_cluster: int
    to_cluster: int
    customers: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What speaks for a number of groups."""

    k: int
    silhouette: float
    stability: float
    chosen: bool


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A customer of a group; `earlier_cluster` None for who was not here 13 weeks ago."""

    customer_id: int
    cluster: int
    confidence: float
    next_cluster: int | None
    earlier_cluster: int | None
    spend: Decimal
    visits: int
    basket: float
    discount_share: float
    recency_days: int


def group_rows(warehouse: Warehouse, scope: Scope) -> list[GroupRow]:
    """The profit table of the scope, the group that brings the house most first; empty where the scope has nobody."""
    rows = warehouse.rows(
        """
        SELECT cluster, customers, customer_share, revenue, revenue_share, product_index, leverage, tenure_months,
               profit, profit_share, treatment
        FROM clusters_groups WHERE branch_id = ? ORDER BY cluster
        """,
        [scope.key],
    )
    return [GroupRow(*row) for row in rows]


def trait_rows(warehouse: Warehouse) -> list[TraitRow]:
    """What sets the groups of the house apart, by group, the most telling first."""
    rows = warehouse.rows(
        "SELECT cluster, feature, level, mean, overall, z FROM clusters_traits ORDER BY cluster, position"
    )
    return [TraitRow(*row) for row in rows]


def move_rows(warehouse: Warehouse, scope: Scope) -> list[Move]:
    """Moves of the scope's customers, those who stayed included; empty where nothing is known of 13 weeks ago."""
    rows = warehouse.rows(
        f"""
        SELECT from_cluster, to_cluster, sum(customers)::BIGINT FROM clusters_moves
        WHERE {scope.condition()} GROUP BY ALL ORDER BY from_cluster, to_cluster
        """  # noqa: S608 (a branch's number)
    )
    return [Move(*row) for row in rows]


def tried_rows(warehouse: Warehouse) -> list[Tried]:
    """The numbers of groups that were tried."""
    return [
        Tried(*row) for row in warehouse.rows("SELECT k, silhouette, stability, chosen FROM clusters_choice ORDER BY k")
    ]


def member_rows(
    warehouse: Warehouse, scope: Scope, cluster: int | None, *, start: int = 0, limit: int = PAGE
) -> list[MemberRow]:
    """Customers of a group (of all, for None), who spent most first; from the place `start` on."""
    wanted = "true" if cluster is None else f"cluster = {int(cluster)}"
    rows = warehouse.rows(
        f"""
        SELECT customer_id, cluster, confidence, next_cluster, earlier_cluster, spend, visits, basket, discount_share,
               recency_days
        FROM clusters_customers WHERE {scope.condition()} AND {wanted}
        ORDER BY spend DESC, customer_id LIMIT ? OFFSET ?
        """,  # noqa: S608 (numbers)
        [limit, start],
    )
    return [MemberRow(*row) for row in rows]


def all_member_rows(warehouse: Warehouse, scope: Scope, cluster: int | None) -> Iterator[Sequence[MemberRow]]:
    """The whole group in slices of a thousand, for a file."""
    start = 0
    while rows := member_rows(warehouse, scope, cluster, start=start, limit=1000):
        yield rows
        start += len(rows)
