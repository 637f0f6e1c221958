"""What a purchase earns, and why: one function for the till, for imports, for simulations and for returns. No Django.

It works in two steps. `open_bonuses` asks who, when and where: the answer is kept with the award. `decide_earning` does
the arithmetic on money: the same function, with the answers that were kept, says years later what the part of a
purchase that stands after a return is worth. Worked numbers: `docs/algorithms/earning.md`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any, NamedTuple

from patron.business.loyalty.baskets import MemberFacts, ProductFacts
from patron.business.loyalty.rules.lots import CENT, ZERO
from patron.business.loyalty.rules.reading import MOST_POINTS, written
from patron.business.loyalty.rules.terms import Base, Bonus, Cap, Terms

WHOLE = Decimal(1)
RATE = Decimal("0.0001")
NIL = Decimal(0)
EXCLUDED = 1
"""The bit of a mark that says: this product earns nothing."""

_ROUND = {"down": ROUND_DOWN, "half_up": ROUND_HALF_UP, "up": ROUND_UP}


class Part(NamedTuple):
    """Lines of a basket that all rules treat alike: how much was paid for them, and how many items they are.

    `mark` says which rules match them: bit 0 that they earn nothing, bit n + 1 that bonus n of the terms matches.
    """

    mark: int
    net_amount: Decimal
    quantity: Decimal = NIL


class Rulebook:
    """Terms made ready for deciding many purchases. `version` is the id of the programme's version."""

    __slots__ = ("base", "bonuses", "looks_back", "needs_lines", "needs_marks", "plain", "terms", "version")

    def __init__(self, terms: Terms, version: int) -> None:
        self.terms, self.version, self.base = terms, version, terms.base
        self.bonuses = terms.all_bonuses
        self.needs_marks = (
            terms.excluded is not None
            or bool(terms.excluded_kinds)
            or any(not bonus.products.is_open for bonus in self.bonuses)
        )
        self.needs_lines = terms.base.per_amount is None or any(bonus.needs_lines for bonus in self.bonuses)
        """Whether amounts of single lines matter, whatever products are sold."""
        caps = (terms.cap, *(bonus.cap for bonus in self.bonuses))
        self.looks_back = any(cap.looks_back for cap in caps)
        self.plain = not self.bonuses and caps == (Cap(),)

    def mark(self, product: ProductFacts) -> int:
        """Which rules match a product."""
        found = EXCLUDED if self.terms.excludes(product) else 0
        for place, bonus in enumerate(self.bonuses):
            if not bonus.products.is_open and bonus.products.matches(product):
                found |= 2 << place
        return found

    def parts(self, lines: Iterable[tuple[ProductFacts, Decimal, Decimal]]) -> list[Part]:
        """Lines (product, net amount, quantity) put together by what the rules make of them."""
        found: dict[int, tuple[Decimal, Decimal]] = {}
        for product, net, quantity in lines:
            mark = self.mark(product)
            amount, items = found.get(mark, (NIL, NIL))
            found[mark] = (amount + net, items + quantity)
        return [Part(mark, *sums) for mark, sums in sorted(found.items())]


@dataclass(frozen=True, slots=True)
class Happening:
    """When, where and how a purchase happened: what its rules ask besides the lines. `local` is the branch's clock."""

    local: datetime
    branch: str = ""
    channel: str = ""
    tenders: Sequence[tuple[str, Decimal]] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """What caps that look back leave: for all points, and for single bonuses by code. None: no limit."""

    total: Decimal | None = None
    bonuses: Mapping[str, Decimal] = field(default_factory=dict)


NO_LIMIT = Room()


@dataclass(frozen=True, slots=True)
class Conditions:
    """The answers to who, when and where, as they were at the purchase: enough to do the arithmetic again.

    `open` are the codes of the bonuses that were open to it; `unpaid` is how much was paid by means that earn nothing.
    """

    open: tuple[str, ...] = ()
    unpaid: Decimal = NIL
    room: Room = NO_LIMIT
    tier: str = ""

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.open:
            found["open"] = list(self.open)
        if self.unpaid:
            found["unpaid"] = written(self.unpaid)
        if self.tier:
            found["tier"] = self.tier
        if self.room.total is not None:
            found["room"] = written(self.room.total)
        if self.room.bonuses:
            found["rooms"] = {code: written(left) for code, left in self.room.bonuses.items()}
        return found

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Conditions":
        room = kept.get("room")
        return cls(
            open=tuple(kept.get("open", ())),
            unpaid=Decimal(kept.get("unpaid", 0)),
            tier=kept.get("tier", ""),
            room=Room(
                total=None if room is None else Decimal(room),
                bonuses={code: Decimal(left) for code, left in kept.get("rooms", {}).items()},
            ),
        )


PLAIN = Conditions()


@dataclass(frozen=True, slots=True)
class Step:
    """One bonus and its arithmetic: `points` = `units` × `rate`, of which a cap may have left less (`uncapped`)."""

    code: str
    name: str
    effect: str
    amount: Decimal
    units: Decimal
    rate: Decimal
    points: Decimal
    unit: str = "points"
    uncapped: Decimal | None = None

    def as_json(self) -> dict[str, str]:
        found = {
            "code": self.code,
            "name": self.name,
            "effect": self.effect,
            "amount": str(self.amount.quantize(CENT)),
            "units": written(self.units),
            "rate": written(self.rate),
            "points": written(self.points),
        }
        if self.unit != "points":
            found["unit"] = self.unit
        if self.uncapped is not None:
            found["uncapped"] = written(self.uncapped)
        return found


@dataclass(frozen=True, slots=True)
class Award:
    """What a purchase earns: `points` (whole), `qualifying` towards a tier, `stamps`; and the arithmetic of it.

    `net_amount` is what was paid, `eligible` the part of it that earns; `units` base units are in that.
    """

    version: int
    base: Base
    net_amount: Decimal
    eligible: Decimal
    units: Decimal
    base_points: Decimal
    steps: tuple[Step, ...] = ()
    exact: Decimal = NIL
    points: Decimal = ZERO
    qualifying: Decimal = ZERO
    stamps: Decimal = ZERO
    rounding: str = "down"
    capped_to: Decimal | None = None
    conditions: Conditions = PLAIN

    @property
    def explanation(self) -> dict[str, Any]:
        """The numbers behind the award, as the ledger keeps them (amounts as text, exact)."""
        found: dict[str, Any] = {
            "rule": self.version,
            "net": str(self.net_amount.quantize(CENT)),
            "unit": "item" if self.base.per_amount is None else str(self.base.per_amount.quantize(CENT)),
            "rate": str(self.base.points.quantize(RATE)),
            "units": int(self.units) if self.units == int(self.units) else written(self.units),
        }
        if self.eligible != self.net_amount:
            found["eligible"] = str(self.eligible.quantize(CENT))
        if self.steps:
            found["base"] = written(self.base_points)
            found["steps"] = [step.as_json() for step in self.steps]
        if self.exact != self.points:
            found["exact"] = written(self.exact)
            found["rounding"] = self.rounding
        if self.capped_to is not None:
            found["capped_to"] = written(self.capped_to)
        if conditions := self.conditions.as_json():
            found["conditions"] = conditions
        return found


# --- who, when, where --------------------------------------------------------------------------------------------


def open_bonuses(rulebook: Rulebook, happening: Happening, member: MemberFacts) -> tuple[str, ...]:
    """The codes of the bonuses that this member, then and there, may have; what was bought is asked later."""
    return tuple(bonus.code for bonus in rulebook.bonuses if _is_open(bonus, happening, member))


def _is_open(bonus: Bonus, happening: Happening, member: MemberFacts) -> bool:
    return (
        bonus.who.matches(member)
        and bonus.when.matches(happening.local)
        and (not bonus.branches or happening.branch in bonus.branches)
        and (not bonus.channels or happening.channel in bonus.channels)
        and (not bonus.tenders or any(kind in bonus.tenders for kind, _ in happening.tenders))
        and (not bonus.first_purchase or member.visits == 0)
        and (bonus.every_nth_visit is None or (member.visits + 1) % bonus.every_nth_visit == 0)
        and (not bonus.birthday or is_birthday(member.birth_on, happening.local.date(), bonus.birthday))
    )


def is_birthday(birth_on: date | None, day: date, span: str) -> bool:
    """Whether `day` is the birthday, lies in the seven days around it (three before, three after), or in its month.

    Who was born on 29 February has the birthday on 28 February in years without one.
    """
    if birth_on is None:
        return False
    if span == "month":
        return birth_on.month == day.month
    reach = 3 if span == "week" else 0
    return any(_same_day(birth_on, day + timedelta(days=shift)) for shift in range(-reach, reach + 1))


def _same_day(birth_on: date, day: date) -> bool:
    if (birth_on.month, birth_on.day) == (2, 29) and (day.month, day.day) == (2, 28):
        return (day + timedelta(days=1)).month == 3
    return (birth_on.month, birth_on.day) == (day.month, day.day)


def unpaid_part(rulebook: Rulebook, tenders: Iterable[tuple[str, Decimal]]) -> Decimal:
    """How much was paid by means that earn nothing."""
    return sum((amount for kind, amount in tenders if kind in rulebook.terms.excluded_tenders), NIL)


# --- how much ----------------------------------------------------------------------------------------------------


def decide_earning(
    rulebook: Rulebook, parts: Sequence[Part], conditions: Conditions = PLAIN, *, net_amount: Decimal | None = None
) -> Award:
    """What `parts` of a purchase earn under `conditions`. Nothing for an amount of zero or less.

    Base: ⌊eligible ÷ unit amount⌋ × points (without the ⌊⌋ where parts of a unit count, or items × points). Each bonus
    adds to it; of a group only the best; caps cut; the sum is rounded once, to whole points, and never below zero.
    """
    base, terms = rulebook.base, rulebook.terms
    net = sum((part.net_amount for part in parts), NIL) if net_amount is None else net_amount
    earning = [part for part in parts if not part.mark & EXCLUDED]
    eligible = sum((part.net_amount for part in earning), NIL)
    if conditions.unpaid and eligible > 0:
        earning = _less(earning, eligible, conditions.unpaid)
        eligible = sum((part.net_amount for part in earning), NIL)
    if eligible <= 0:
        return Award(rulebook.version, base, net, max(eligible, NIL), NIL, NIL, conditions=conditions)
    units = _units(base, earning)
    base_points = units * base.points
    steps = _steps(rulebook, earning, eligible, conditions) if conditions.open else ()
    exact = base_points + sum((step.points for step in steps if step.unit == "points"), NIL)
    capped_to = _least(terms.cap.purchase, conditions.room.total)
    capped = exact if capped_to is None or exact <= capped_to else capped_to
    points = min(capped.quantize(WHOLE, rounding=_ROUND[terms.rounding]), MOST_POINTS)
    if not steps:
        qualifying, stamps = base_points, NIL
    else:
        qualifies = {bonus.code for bonus in rulebook.bonuses if bonus.qualifies}
        qualifying = base_points + sum(
            (step.points for step in steps if step.unit == "points" and step.code in qualifies), NIL
        )
        stamps = sum((step.points for step in steps if step.unit == "stamps"), NIL)
    return Award(
        version=rulebook.version,
        base=base,
        net_amount=net,
        eligible=eligible,
        units=units,
        base_points=base_points,
        steps=steps,
        exact=exact,
        points=points.quantize(CENT),
        qualifying=min(qualifying.quantize(WHOLE, rounding=ROUND_DOWN), MOST_POINTS).quantize(CENT),
        stamps=min(stamps.quantize(WHOLE, rounding=ROUND_DOWN), MOST_POINTS).quantize(CENT),
        rounding=terms.rounding,
        capped_to=capped_to if capped is not exact else None,
        conditions=conditions,
    )


def _less(parts: Sequence[Part], eligible: Decimal, unpaid: Decimal) -> list[Part]:
    """The parts less what was paid by means that earn nothing, each by its share; cents are cut, the last takes the
    rest, so that the parts add up to what earns."""
    left = max(eligible - unpaid, NIL)
    found: list[Part] = []
    used = NIL
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        share = left - used if last else (part.net_amount * left / eligible).quantize(CENT, rounding=ROUND_DOWN)
        used += share
        found.append(part._replace(net_amount=share))
    return found


def _units(base: Base, parts: Sequence[Part]) -> Decimal:
    if base.per_amount is None:
        return sum((part.quantity for part in parts if part.net_amount > 0), NIL)
    return _of(sum((part.net_amount for part in parts), NIL), base.per_amount, whole=base.whole_units)


def _of(amount: Decimal, per: Decimal, *, whole: bool) -> Decimal:
    return amount // per if whole else amount / per


def _steps(rulebook: Rulebook, parts: Sequence[Part], eligible: Decimal, conditions: Conditions) -> tuple[Step, ...]:
    """The bonuses that apply, with their arithmetic: multipliers first, then the others, in the order of the terms."""
    opened = set(conditions.open)
    applying = [
        (place, bonus)
        for place, bonus in enumerate(rulebook.bonuses)
        if bonus.code in opened and (bonus.minimum is None or eligible >= bonus.minimum)
    ]
    matching = {
        place: [part for part in parts if bonus.products.is_open or part.mark & (2 << place)]
        for place, bonus in applying
    }
    applying = [(place, bonus) for place, bonus in applying if matching[place]]
    applying = _best_of_groups(rulebook, applying, matching)
    multipliers = [(place, bonus) for place, bonus in applying if bonus.effect == "multiply"]
    steps = _multiplied(rulebook, multipliers, matching) if multipliers else []
    steps += [
        step
        for place, bonus in applying
        if bonus.effect != "multiply" and (step := _added(rulebook, bonus, matching[place])) is not None
    ]
    return tuple(_capped(rulebook, step, conditions.room) for step in steps)


def _best_of_groups(
    rulebook: Rulebook, applying: Sequence[tuple[int, Bonus]], matching: Mapping[int, Sequence[Part]]
) -> list[tuple[int, Bonus]]:
    """Of the bonuses of one group only the one that gives most by itself; of equals the one named first."""
    best: dict[str, tuple[Decimal, int]] = {}
    for place, bonus in applying:
        if bonus.group:
            if bonus.effect == "multiply":
                steps = _multiplied(rulebook, [(place, bonus)], matching)
            else:
                alone = _added(rulebook, bonus, matching[place])
                steps = [alone] if alone else []
            gives = sum((step.points for step in steps), NIL)
            if bonus.group not in best or gives > best[bonus.group][0]:
                best[bonus.group] = (gives, place)
    return [(place, bonus) for place, bonus in applying if not bonus.group or best[bonus.group][1] == place]


def _multiplied(
    rulebook: Rulebook, multipliers: Sequence[tuple[int, Bonus]], matching: Mapping[int, Sequence[Part]]
) -> list[Step]:
    """What each multiplier adds. Lines that the same multipliers match are counted together, in whole base units.

    Multiplied: 2 × and 3 × on the same line make 6 ×, the first adding 1 and the second 4 times the base. Added: 4 ×,
    the first adding 1 and the second 2.
    """
    base, combine = rulebook.base, rulebook.terms.combine
    slices: dict[tuple[int, ...], list[Part]] = {}
    for part in dict.fromkeys(part for place, _ in multipliers for part in matching[place]):
        together = tuple(place for place, _ in multipliers if part in matching[place])
        slices.setdefault(together, []).append(part)
    sums: dict[int, tuple[Decimal, Decimal, Decimal]] = {}
    for together, parts in slices.items():
        amount, units = sum((part.net_amount for part in parts), NIL), _units(base, parts)
        so_far = WHOLE
        for place, bonus in multipliers:
            if place not in together:
                continue
            extra = bonus.factor - 1
            if combine == "multiply":
                extra *= so_far
                so_far *= bonus.factor
            before = sums.get(place, (NIL, NIL, NIL))
            sums[place] = (before[0] + amount, before[1] + units, before[2] + extra * units * base.points)
    return [
        Step(bonus.code, bonus.name, "multiply", sums[place][0], sums[place][1], bonus.factor, sums[place][2])
        for place, bonus in multipliers
        if sums[place][2]
    ]


def _added(rulebook: Rulebook, bonus: Bonus, parts: Sequence[Part]) -> Step | None:
    amount = sum((part.net_amount for part in parts), NIL)
    if amount <= 0:
        return None
    match bonus.effect:
        case "per_amount":
            units = _of(amount, bonus.amount, whole=rulebook.base.whole_units)
        case "per_item":
            units = sum((part.quantity for part in parts if part.net_amount > 0), NIL)
        case _:
            units = WHOLE
    points = units * bonus.points
    if not points:
        return None
    return Step(bonus.code, bonus.name, bonus.effect, amount, units, bonus.points, points, bonus.unit)


def _capped(rulebook: Rulebook, step: Step, room: Room) -> Step:
    bonus = next(bonus for bonus in rulebook.bonuses if bonus.code == step.code)
    most = _least(bonus.cap.purchase, room.bonuses.get(step.code))
    return step if most is None or step.points <= most else replace(step, points=most, uncapped=step.points)


def _least(*limits: Decimal | None) -> Decimal | None:
    known = [limit for limit in limits if limit is not None]
    return max(min(known), NIL) if known else None


# --- returns -----------------------------------------------------------------------------------------------------


def points_to_take_back(*, target: Decimal, kept_points: Decimal, expired_points: Decimal) -> Decimal:
    """How many of `kept_points` go once what stands of the purchase is worth `target`.

    Points of the original that expired unused have left the member already and are not taken a second time. Negative:
    so many are given back (a return was itself undone).
    """
    if target >= kept_points:
        return kept_points - target
    return max(ZERO, min(kept_points - target, kept_points - expired_points))


def conditions_standing(conditions: Conditions, *, net_amount: Decimal, kept_net: Decimal) -> Conditions:
    """The conditions of a purchase of which only `kept_net` stands: what was paid by other means shrinks with it."""
    if not conditions.unpaid or net_amount <= 0:
        return conditions
    share = (conditions.unpaid * kept_net / net_amount).quantize(CENT, rounding=ROUND_HALF_UP)
    return replace(conditions, unpaid=max(share, NIL))


def scaled(parts: Sequence[Part], *, to: Decimal) -> list[Part]:
    """The parts shrunk (or grown) alike until they add up to `to`: for a return that does not name its lines."""
    total = sum((part.net_amount for part in parts), NIL)
    if total == to:
        return list(parts)
    if total <= 0:
        return [Part(0, to)]
    found: list[Part] = []
    used = NIL
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        amount = to - used if last else (part.net_amount * to / total).quantize(CENT, rounding=ROUND_DOWN)
        used += amount
        found.append(Part(part.mark, amount, part.quantity))
    return found
