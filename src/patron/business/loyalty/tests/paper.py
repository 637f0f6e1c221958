"""A member's points kept as simply as one could on paper: the model beside which the ledger is tested."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(eq=False)
class Heap:
    """Points of one origin. `pending_until` is the day on which they become available, of those that wait."""

    number: int
    until: date | None
    amount: Decimal
    left: Decimal
    expired: Decimal = ZERO
    pending_until: date | None = None
    award: "Receipt | None" = None


Takes = list[tuple[Heap, Decimal]]


@dataclass(eq=False)
class Receipt:
    """A sale: what stands of its lines (product to items), and of its points."""

    lines: dict[str, int]
    room: Decimal
    points: Decimal
    until: date | None
    posted: bool
    heaps: list[Heap] = field(default_factory=list)
    returns: "list[Comeback]" = field(default_factory=list)
    voided: bool = False


@dataclass(eq=False)
class Comeback:
    """Goods brought back, and what was taken for them."""

    receipt: Receipt
    lines: dict[str, int]
    taken: Takes = field(default_factory=list)
    pending_taken: Takes = field(default_factory=list)
    forgiven: Decimal = ZERO
    voided: bool = False


@dataclass(eq=False)
class Outlay:
    """Points spent or set aside: from which heaps, and how much of it came back."""

    points: Decimal
    taken: Takes
    given_back: Decimal = ZERO
    refilled: dict[Heap, Decimal] = field(default_factory=dict)

    def refill(self) -> Takes:
        """What each heap still lacks of it, last drawn first."""
        return [(heap, part - self.refilled.get(heap, ZERO)) for heap, part in reversed(self.taken)]


class Paper:
    """What a member has: heaps that can be used, heaps that wait, a debt; and where all points went."""

    def __init__(self, *, debts: bool = True) -> None:
        self.debts = debts
        self.heaps: list[Heap] = []
        self.waiting: list[Heap] = []
        self.debt = ZERO
        self.made = 0
        self.totals = dict.fromkeys(("issued", "redeemed", "expired", "adjusted", "transferred", "reserved"), ZERO)

    @property
    def balance(self) -> Decimal:
        return sum((heap.left for heap in self.heaps), ZERO) - self.debt

    @property
    def pending(self) -> Decimal:
        return sum((heap.left for heap in self.waiting), ZERO)

    def open_heaps(self) -> list[Heap]:
        return sorted((h for h in self.heaps if h.left), key=lambda h: (h.until or date.max, h.number))

    def usable_on(self, day: date) -> Decimal:
        """What could be spent, once what is due has matured and what is past has expired."""
        due = sum((h.left for h in self.waiting if h.pending_until is not None and h.pending_until <= day), ZERO)
        held = [h for h in self.heaps if h.until is None or h.until >= day]
        fresh = [h for h in self.waiting if h.pending_until is not None and h.pending_until <= day]
        assert due == sum((h.left for h in fresh), ZERO)
        left = sum((h.left for h in held), ZERO)
        debt = self.debt
        for heap in sorted(fresh, key=lambda h: (h.pending_until or date.max, h.number)):
            repaid = min(debt, heap.left)
            debt -= repaid
            if heap.until is None or heap.until >= day:
                left += heap.left - repaid
        return left - debt

    def settle(self, day: date) -> None:
        """Let mature what is due, then let expire what is past its day."""
        self.mature(day)
        for heap in self.heaps:
            if heap.until is not None and heap.until < day:
                heap.expired += heap.left
                self.totals["expired"] += heap.left
                heap.left = ZERO

    def mature(self, day: date) -> None:
        due = [h for h in self.waiting if h.pending_until is not None and h.pending_until <= day]
        for heap in sorted(due, key=lambda h: (h.pending_until or date.max, h.number)):
            self.waiting.remove(heap)
            if heap.left:
                new = self.put(heap.left, heap.until)
                if new is not None and heap.award is not None:
                    heap.award.heaps.append(new)

    def roll(self, day: date, until: date) -> None:
        """An activity lets everything that is still usable live on."""
        for heap in (*self.heaps, *self.waiting):
            if heap.left and heap.until is not None and day <= heap.until < until:
                heap.until = until

    def put(
        self, points: Decimal, until: date | None, *, refill: Takes | None = None, of: "Outlay | None" = None
    ) -> Heap | None:
        """Points come in: a debt is repaid, heaps are refilled, the rest is a new heap."""
        repaid = min(points, self.debt)
        self.debt -= repaid
        points -= repaid
        for heap, most in refill or []:
            back = min(points, most, heap.amount - heap.left)
            heap.left += back
            points -= back
            if of is not None:
                of.refilled[heap] = of.refilled.get(heap, ZERO) + back
        if not points:
            return None
        self.made += 1
        self.heaps.append(Heap(self.made, until, points, points))
        return self.heaps[-1]

    def wait(self, points: Decimal, until: date | None, *, pending_until: date, award: Receipt) -> None:
        """Points come in that can be used from a later day on."""
        if points:
            self.made += 1
            self.waiting.append(Heap(self.made, until, points, points, pending_until=pending_until, award=award))

    def draw(self, points: Decimal) -> Takes:
        """Use points that are there, soonest to expire first."""
        taken, missing = self._draw(points, [])
        assert not missing
        return taken

    def take_back(self, points: Decimal, receipt: Receipt) -> tuple[Takes, Takes, Decimal]:
        """Take what was given for a sale: pending first, its own heaps, others; the rest is owed or let go.

        Returns what was taken from heaps, what from those that wait, and what was let go.
        """
        pending: Takes = []
        for heap in self.waiting:
            part = min(heap.left, points) if heap.award is receipt else ZERO
            if part:
                heap.left -= part
                points -= part
                pending.append((heap, part))
        taken, missing = self._draw(points, receipt.heaps)
        if self.debts:
            self.debt += missing
        gone = sum((part for _, part in (*taken, *pending)), ZERO) + (missing if self.debts else ZERO)
        self.totals["issued"] -= gone
        return taken, pending, ZERO if self.debts else missing

    def _draw(self, points: Decimal, first: list[Heap]) -> tuple[Takes, Decimal]:
        taken = []
        for heap in sorted(self.heaps, key=lambda h: (h not in first, h.until or date.max, h.number)):
            part = min(heap.left, points)
            if part:
                heap.left -= part
                points -= part
                taken.append((heap, part))
        return taken, points
