"""What draft terms would have given: past sales replayed by the same decisions as at the till. Writes nothing.

Both sides look at what the sales of a period earned; their returns are left out, on both sides. Members are those who
are active today, as they were when the period began: tier, what counts towards one, what was earned under caps. Tiers
given by hand or by a review during the period are given in the replay as well, to those who stood there alike.
Segments and birthdays are those of today.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from patron.business.loyalty.ledger.gathering import Trial, gather
from patron.business.loyalty.models import Programme
from patron.business.loyalty.rules.earning import Award, Rulebook
from patron.business.loyalty.rules.sales import MemberState, Sale, advance, decide_sale
from patron.business.loyalty.rules.terms import Terms
from patron.business.loyalty.rules.tiers import Standing
from patron.kernel.clock import house_zone

TABLE = "loyalty_simulated"
MOST_SALES = 60_000
"""Where a period holds more sales, those of every second (third, …) customer are replayed."""
NAMED = 10
ZERO = Decimal(0)

HOW_MANY = """
SELECT count(*) FROM purchases_purchase p
WHERE p.occurred_at >= %(since)s AND p.occurred_at < %(until)s AND p.kind = 'sale' AND p.status = 'completed'
    AND p.customer_id IN (SELECT customer_id FROM loyalty_membership WHERE programme_id = %(programme)s)
"""

COLLECT = """
CREATE TEMP TABLE loyalty_simulated AS
SELECT p.id AS purchase_id, p.customer_id, p.branch_id, p.kind::text AS kind, p.occurred_at,
    p.currency::text AS currency, p.net_amount, p.original_id
FROM purchases_purchase p
WHERE p.occurred_at >= %(since)s AND p.occurred_at < %(until)s AND p.kind = 'sale' AND p.status = 'completed'
    AND p.customer_id IN (SELECT customer_id FROM loyalty_membership WHERE programme_id = %(programme)s)
    AND p.customer_id %% %(step)s = 0
"""

HISTORY = """
SELECT c.membership_id, c.effective_at, c.before, c.after, c.until, c.reason, c.purchase_id
FROM loyalty_tierchange c JOIN loyalty_membership m ON m.id = c.membership_id
WHERE m.programme_id = %(programme)s AND m.customer_id IN (SELECT customer_id FROM loyalty_simulated)
ORDER BY c.membership_id, c.effective_at, c.id
"""

POSTED = """
FROM loyalty_simulated p JOIN loyalty_ledgertransaction t ON t.purchase_id = p.purchase_id AND t.kind = 'earn'
    JOIN loyalty_membership m ON m.id = t.membership_id AND m.programme_id = %(programme)s AND m.status = 'active'
"""

POSTED_TO = """
SELECT t.membership_id, m.customer_id, coalesce(sum(t.amount) FILTER (WHERE t.unit = 'points'), 0),
    coalesce(sum(t.amount) FILTER (WHERE t.unit = 'stamps'), 0)
{posted} GROUP BY 1, 2
"""

POSTED_BY = """
SELECT s.step ->> 'code', sum((s.step ->> 'points')::numeric), count(*)
{posted} CROSS JOIN LATERAL jsonb_array_elements(t.explanation -> 'steps') AS s (step)
WHERE t.unit = 'points' AND NOT s.step ? 'unit' GROUP BY 1
UNION ALL
SELECT '', sum(coalesce((t.explanation ->> 'base')::numeric,
    (t.explanation ->> 'units')::numeric * (t.explanation ->> 'rate')::numeric)), count(*)
{posted} WHERE t.unit = 'points'
"""


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """What one rule gives: points before rounding and the cap of a whole purchase, and to how many sales.

    `code` is empty for the base rate; `points_then` is what a rule of this code gave in fact.
    """

    code: str
    name: str
    points: Decimal
    sales: int
    points_then: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class TierEffect:
    """How many members end the period in a tier to which a purchase of the period raised them, now and then."""

    code: str
    name: str
    rises: int
    rises_then: int


@dataclass(frozen=True, slots=True)
class MemberEffect:
    """What a member would have got, and got."""

    membership_id: int
    customer_id: int
    points: Decimal
    points_then: Decimal

    @property
    def difference(self) -> Decimal:
        return self.points - self.points_then


@dataclass(frozen=True, slots=True)
class AboveBasket:
    """The sale whose award is worth most beyond what was paid."""

    purchase_id: int
    net_amount: Decimal
    points: Decimal


@dataclass(frozen=True, slots=True)
class Simulation:
    """The sales of a period under draft terms, beside what was really posted for them (`…_then`).

    Money is in the programme's `currency`, a point being worth `point_value`. `cut` points fell to caps in `capped`
    sales; `above_basket` awards are worth more than what was paid. Of `one_in` customers one was replayed.
    """

    from_on: date
    until_on: date
    currency: str
    point_value: Decimal
    one_in: int = 1
    sales: int = 0
    members: int = 0
    net_amount: Decimal = ZERO
    points: Decimal = ZERO
    points_then: Decimal = ZERO
    stamps: Decimal = ZERO
    stamps_then: Decimal = ZERO
    rules: Sequence[RuleEffect] = ()
    tiers: Sequence[TierEffect] = ()
    gain: int = 0
    lose: int = 0
    winners: Sequence[MemberEffect] = ()
    losers: Sequence[MemberEffect] = ()
    capped: int = 0
    cut: Decimal = ZERO
    above_basket: int = 0
    worst: AboveBasket | None = None

    @property
    def difference(self) -> Decimal:
        return self.points - self.points_then

    @property
    def cost(self) -> Decimal:
        """What the points are worth."""
        return (self.points * self.point_value).quantize(Decimal("0.01"))

    @property
    def cost_then(self) -> Decimal:
        return (self.points_then * self.point_value).quantize(Decimal("0.01"))

    @property
    def cost_difference(self) -> Decimal:
        return self.cost - self.cost_then

    @property
    def share(self) -> Decimal:
        """What the points are worth, as a share of the sales."""
        return self.cost / self.net_amount if self.net_amount else ZERO

    @property
    def share_then(self) -> Decimal:
        return self.cost_then / self.net_amount if self.net_amount else ZERO

    @property
    def share_difference(self) -> Decimal:
        return self.share - self.share_then


def last_month(day: date) -> tuple[date, date]:
    """First and last day of the month before that of `day`."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def simulate(programme: Programme, terms: Terms, *, from_on: date, until_on: date, now: datetime) -> Simulation:
    """Replay the members' sales from `from_on` to `until_on`, both included, and up to `now`, under `terms`.

    Reads only: its temp table and its transaction are undone. With tiers and bonuses, about 8,000 sales a second.
    """
    since = _midnight(from_on)
    until = min(_midnight(until_on + timedelta(days=1)), now)
    values: dict[str, int | datetime] = {"programme": programme.pk, "since": since, "until": until}
    rulebook = Rulebook(terms, 0)
    with _undone(), connection.cursor() as cursor:
        cursor.execute(HOW_MANY, values)
        ((sales,),) = cursor.fetchall()
        step = max(-(-sales // MOST_SALES), 1)
        cursor.execute(COLLECT, values | {"step": step})
        cursor.execute(f"ANALYZE {TABLE}")
        cursor.execute("SET LOCAL transaction_read_only = on")
        cursor.execute(HISTORY, values)
        past, ahead, rises_then = _history(cursor.fetchall(), since, until)
        trial = Trial(programme.pk, rulebook, since)
        tally = _replay(cursor, trial, past, ahead, point_value=programme.point_value)
        cursor.execute(POSTED_TO.format(posted=POSTED), values)
        posted = cursor.fetchall()
        cursor.execute(POSTED_BY.format(posted=POSTED), values)
        by_rule = {code: points or ZERO for code, points, _ in cursor.fetchall()}
    effects = _effects(tally, posted)
    return Simulation(
        from_on=from_on,
        until_on=until_on,
        currency=programme.currency,
        point_value=programme.point_value,
        one_in=step,
        sales=tally.sales,
        members=len(tally.members),
        net_amount=tally.net_amount,
        points=sum((effect.points for effect in effects), ZERO),
        points_then=sum((effect.points_then for effect in effects), ZERO),
        stamps=tally.stamps,
        stamps_then=sum((row[3] for row in posted), ZERO),
        rules=_rules(rulebook, tally, by_rule),
        tiers=[
            TierEffect(tier.code, tier.name, list(tally.rises.values()).count(tier.code), rises_then.get(tier.code, 0))
            for tier in terms.tiers.ladder
        ],
        gain=sum(effect.difference > 0 for effect in effects),
        lose=sum(effect.difference < 0 for effect in effects),
        winners=[effect for effect in effects[:NAMED] if effect.difference > 0],
        losers=[effect for effect in effects[: -NAMED - 1 : -1] if effect.difference < 0],
        capped=tally.capped,
        cut=tally.cut,
        above_basket=tally.above_basket,
        worst=tally.worst,
    )


@contextmanager
def _undone() -> Iterator[None]:
    """A transaction of which nothing stays, whatever happens in it."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=house_zone())


# --- members as they were ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """A change of tier on file."""

    at: datetime
    before: str
    standing: Standing


def _history(
    rows: Sequence[Sequence[Any]], since: datetime, until: datetime
) -> tuple[dict[int, list[Change]], dict[int, list[Change]], Mapping[str, int]]:
    """Changes of tier before the period, those in it that no purchase brought, and how many rose by a purchase."""
    past: dict[int, list[Change]] = defaultdict(list)
    ahead: dict[int, list[Change]] = defaultdict(list)
    raised: dict[int, str] = {}
    for membership_id, at, before, after, last_day, reason, purchase_id in rows:
        change = Change(at, before, Standing(after, last_day, reason == "invited"))
        if at < since:
            past[membership_id].append(change)
        elif purchase_id is None:
            ahead[membership_id].append(change)
        elif at < until:
            raised[membership_id] = after
    rises: dict[str, int] = defaultdict(int)
    for tier in raised.values():
        rises[tier] += 1
    return past, ahead, rises


def _set_back(state: MemberState, past: Sequence[Change]) -> None:
    state.tiers = [(change.at, change.standing.tier) for change in past]
    state.standing = past[-1].standing if past else Standing()


def _catch_up(state: MemberState, ahead: list[Change], at: datetime) -> None:
    """Give the tiers that a review or somebody's hand gave by `at`, where the member stands as they stood then."""
    while ahead and ahead[0].at <= at:
        change = ahead.pop(0)
        if change.before == state.standing.tier:
            state.standing = change.standing
            state.tiers.append((change.at, change.standing.tier))


# --- replay ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """Sums over the awards."""

    point_value: Decimal
    sales: int = 0
    net_amount: Decimal = ZERO
    stamps: Decimal = ZERO
    members: dict[int, tuple[int, Decimal]] = field(default_factory=dict)
    base: Decimal = ZERO
    by_rule: dict[str, tuple[Decimal, int]] = field(default_factory=dict)
    rises: dict[int, str] = field(default_factory=dict)
    capped: int = 0
    cut: Decimal = ZERO
    above_basket: int = 0
    worst: AboveBasket | None = None
    worst_by: Decimal = ZERO

    def add(self, state: MemberState, sale: Sale, award: Award) -> None:
        self.sales += 1
        self.net_amount += sale.net_amount
        self.stamps += award.stamps
        self.base += award.base_points
        so_far = self.members.get(state.membership_id, (0, ZERO))[1]
        self.members[state.membership_id] = (state.customer_id, so_far + award.points)
        cut = ZERO if award.capped_to is None else award.exact - award.capped_to
        for step in award.steps:
            if step.unit == "points":
                points, times = self.by_rule.get(step.code, (ZERO, 0))
                self.by_rule[step.code] = (points + step.points, times + 1)
            if step.uncapped is not None:
                cut += step.uncapped - step.points
        if cut:
            self.capped += 1
            self.cut += cut
        beyond = award.points * self.point_value - sale.net_amount
        if beyond > 0:
            self.above_basket += 1
            if beyond > self.worst_by:
                self.worst_by = beyond
                self.worst = AboveBasket(sale.purchase_id, sale.net_amount, award.points)


def _replay(
    cursor: Any,
    trial: Trial,
    past: Mapping[int, Sequence[Change]],
    ahead: Mapping[int, list[Change]],
    *,
    point_value: Decimal,
) -> Tally:
    tally = Tally(point_value)
    met: set[int] = set()
    rulebook = trial.rulebook
    laddered = bool(rulebook.terms.tiers.ladder)
    for entry in gather(cursor, TABLE, trial=trial):
        state, sale = entry.state, entry.sale
        if laddered:
            if state.membership_id not in met:
                met.add(state.membership_id)
                _set_back(state, past.get(state.membership_id, ()))
            if waiting := ahead.get(state.membership_id):
                _catch_up(state, waiting, sale.at)
        award = decide_sale(rulebook, state, sale)
        tally.add(state, sale, award)
        if (rise := advance(rulebook, state, sale, award)) is not None:
            tally.rises[state.membership_id] = rise.verdict.after
    return tally


def _effects(tally: Tally, posted: Sequence[Sequence[Any]]) -> list[MemberEffect]:
    """Every member with a sale in the period, who gains most first."""
    then = {membership_id: (customer_id, points) for membership_id, customer_id, points, _ in posted}
    effects = [
        MemberEffect(
            membership_id,
            (tally.members.get(membership_id) or then[membership_id])[0],
            tally.members.get(membership_id, (0, ZERO))[1],
            then.get(membership_id, (0, ZERO))[1],
        )
        for membership_id in tally.members.keys() | then.keys()
    ]
    return sorted(effects, key=lambda effect: (-effect.difference, effect.membership_id))


def _rules(rulebook: Rulebook, tally: Tally, then: Mapping[str, Decimal]) -> list[RuleEffect]:
    """The base rate, the bonuses in the order of the terms, and what gave points then and is gone."""
    effects = [RuleEffect("", "", tally.base, tally.sales, then.get("", ZERO))]
    for bonus in rulebook.bonuses:
        if bonus.unit == "points":
            points, sales = tally.by_rule.get(bonus.code, (ZERO, 0))
            name = bonus.name or bonus.code
            effects.append(RuleEffect(bonus.code, name, points, sales, then.get(bonus.code, ZERO)))
    known = {effect.code for effect in effects}
    effects += [RuleEffect(code, code, ZERO, 0, points) for code, points in sorted(then.items()) if code not in known]
    return effects
