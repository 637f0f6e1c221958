"""Acquisition: who looks like the customers we want, and who would respond to what was tried on a few."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from patron.intelligence.reports.scope import Scope
from patron.intelligence.reports.slices import in_slices
from patron.intelligence.warehouse.reader import Warehouse

PAGE = 50


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """A segment, how well its members can be told from others, and the test by date where there is one."""

    segment: str
    name: str
    members: int
    auc: float
    auc_low: float
    auc_high: float
    top_tenth_lift: float
    tested: int | None
    base_rate: float | None
    top_rate: float | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer on a list, with the chance and the reason (English, by the model)."""

    customer_id: int
    rank: int
    confidence: float
    times_average: float
    newer: bool
    prospect: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A band of a feature that sets a segment apart."""

    feature: str
    band: str
    odds: float


@dataclass(frozen=True, slots=True)
class VoucherTest:
    """A kind of voucher that was given to some."""

    definition: str
    tested: int
    responded: int
    learned: bool
    responders_needed: int
    test_size_needed: int | None
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    top_tenth_lift: float | None


def segment_lines(warehouse: Warehouse) -> list[SegmentLine]:
    """The segments one can choose from."""
    rows = warehouse.rows(
        """
        SELECT segment, name, members, auc, auc_low, auc_high, top_tenth_lift, tested, base_rate, top_rate
        FROM lookalikes_segments ORDER BY position
        """
    )
    return [SegmentLine(*row) for row in rows]


def list_size(warehouse: Warehouse, scope: Scope, segment: str, *, newer: bool) -> int:
    """How many are on the list."""
    rows = warehouse.rows(
        f"SELECT count(*) FROM lookalikes_customers WHERE segment = ? AND (newer OR prospect OR NOT ?) "  # noqa: S608
        f"AND {scope.condition()}",
        [segment, newer],
    )
    return int(rows[0][0])


def lookalike_rows(
    warehouse: Warehouse, scope: Scope, segment: str, *, newer: bool, skip: int = 0, limit: int = PAGE
) -> list[Candidate]:
    """The most alike first; only newer customers and prospects where asked."""
    rows = warehouse.rows(
        f"""
        SELECT customer_id, rank, confidence, times_average, newer, prospect, reason FROM lookalikes_customers
        WHERE segment = ? AND (newer OR prospect OR NOT ?) AND {scope.condition()}
        ORDER BY rank LIMIT ? OFFSET ?
        """,  # noqa: S608 (a branch's number)
        [segment, newer, limit, skip],
    )
    return [Candidate(*row) for row in rows]


def every_lookalike(warehouse: Warehouse, scope: Scope, segment: str, *, newer: bool) -> Iterator[Sequence[Candidate]]:
    """All of them in slices, for a file."""
    return in_slices(partial(lookalike_rows, warehouse, scope, segment, newer=newer))


def signs_of(warehouse: Warehouse, segment: str) -> list[Sign]:
    """What sets the members apart, the strongest first."""
    rows = warehouse.rows(
        "SELECT feature, band, odds FROM lookalikes_signs WHERE segment = ? ORDER BY position", [segment]
    )
    return [Sign(*row) for row in rows]


def voucher_tests(warehouse: Warehouse) -> list[VoucherTest]:
    """Kinds of vouchers that were given to members."""
    rows = warehouse.rows(
        """
        SELECT definition, tested, responded, learned, responders_needed, test_size_needed, auc, auc_low, auc_high,
               top_tenth_lift
        FROM response_tests ORDER BY position
        """
    )
    return [VoucherTest(*row) for row in rows]


def response_rows(
    warehouse: Warehouse, scope: Scope, definition: str, *, skip: int = 0, limit: int = PAGE
) -> list[Candidate]:
    """Who was not given such a voucher, the likeliest to use it first."""
    rows = warehouse.rows(
        f"""
        SELECT customer_id, rank, confidence, times_average, false, false, reason FROM response_customers
        WHERE definition = ? AND {scope.condition()} ORDER BY rank LIMIT ? OFFSET ?
        """,  # noqa: S608 (a branch's number)
        [definition, limit, skip],
    )
    return [Candidate(*row) for row in rows]


def every_response(warehouse: Warehouse, scope: Scope, definition: str) -> Iterator[Sequence[Candidate]]:
    """All of them in slices, for a file."""
    return in_slices(partial(response_rows, warehouse, scope, definition))
