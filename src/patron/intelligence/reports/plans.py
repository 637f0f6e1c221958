"""What plans are made from: what is at stake with whom, and what the stages bring."""

from dataclasses import dataclass
from decimal import Decimal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

#: More customers than this cannot change a plan of a few days: those with most at stake are looked at.
MOST_CANDIDATES = 20_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer with something at stake: gross profit of a year that leaving, or buying less, would cost.

    `fallen` is the part that a customer at risk already spends less. `by_call`, `by_sms` and `by_email` say how they
    can be contacted: by what is on file, and by what they allow.
    """

    customer_id: int
    stage: str
    p_leave: float
    gone: bool
    fallen: Decimal
    stake: Decimal
    days_silent: int
    recent: int
    by_call: bool = True
    by_sms: bool = True
    by_email: bool = True

    @property
    def is_reachable(self) -> bool:
        """Whether any way of contacting them is left."""
        return self.by_call or self.by_sms or self.by_email


@dataclass(frozen=True, slots=True)
class Stakes:
    """All that is at stake in a scope."""

    customers: int
    stake: Decimal


@dataclass(frozen=True, slots=True)
class BudgetSegment:
    """A life-cycle stage: its customers, what they bring a year, and the house's gross profit per unit of sales."""

    stage: str
    customers: int
    money: Decimal
    margin: float


def candidates(warehouse: Warehouse, scope: Scope) -> list[Candidate]:
    """Those with most at stake first."""
    # A plan made before consents were known has no such columns until the next night.
    known = warehouse.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'contact_candidates'")
    ways = ", by_call, by_sms, by_email" if ("by_call",) in known else ""
    rows = warehouse.rows(
        f"""
        SELECT customer_id, stage, p_leave, gone, fallen, stake, days_silent, recent{ways} FROM contact_candidates
        WHERE {scope.condition()} ORDER BY stake DESC, customer_id LIMIT {MOST_CANDIDATES}
        """  # noqa: S608 (a branch's number)
    )
    return [Candidate(*row) for row in rows]


def stakes(warehouse: Warehouse, scope: Scope) -> Stakes:
    """How many have something at stake, and how much it is."""
    [row] = warehouse.rows(
        f"SELECT count(*), coalesce(sum(stake), 0) FROM contact_candidates WHERE {scope.condition()}"  # noqa: S608
    )
    return Stakes(*row)


def budget_segments(warehouse: Warehouse, scope: Scope) -> list[BudgetSegment]:
    """The stages of one scope, by name."""
    rows = warehouse.rows(
        f"""
        SELECT segment, sum(customers)::BIGINT, sum(money_per_year)::DECIMAL(18,2), max(margin)
        FROM budget_segments WHERE {scope.condition()} GROUP BY segment ORDER BY segment
        """  # noqa: S608 (a branch's number)
    )
    return [BudgetSegment(*row) for row in rows]
