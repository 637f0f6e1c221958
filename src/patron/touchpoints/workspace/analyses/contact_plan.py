"""The contact plan, computed while you look: what if there were more people, more days, cheaper calls?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.mining.optimising.assumptions import CHANNELS, DECAY
from patron.intelligence.reports.plans import MOST_CANDIDATES, Candidate, candidates, stakes
from patron.kernel.charts import Chart, Column, Series
from patron.kernel.charts.curves import Curve, curves
from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    ChartPart,
    Row,
    TablePart,
    Tile,
    Who,
)
from patron.touchpoints.workspace.analyses.desk import Desk

if TYPE_CHECKING:
    from patron.intelligence.mining.arrays import Real
    from patron.intelligence.mining.optimising.contacts import Channel, Plan

PAGE_ROWS: Final = 100
MOST_CONTACTS: Final = 2
#: How many people the curve tries beyond those there are.
BEYOND: Final = 4
CHANNEL_LABELS: Final[dict[str, str | Promise]] = {
    "call": gettext_lazy("Call"),
    "sms": gettext_lazy("SMS"),
    "email": gettext_lazy("E-mail"),
}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the reader chose."""

    reps: int
    daily: int
    days: int
    call_cost: float
    saves: dict[str, float]

    def channels(self) -> tuple[Channel, ...]:
        from patron.intelligence.mining.optimising.contacts import Channel

        return (
            Channel("call", self.call_cost, self.reps * self.daily),
            *(Channel(name, CHANNELS[name].cost) for name in ("sms", "email")),
        )


def build(desk: Desk) -> Answer:
    """The plan for the scope by the figures chosen, and what one more person would bring."""
    wish = _wish(desk)
    found = candidates(desk.warehouse, desk.scope)
    if not found:
        return Answer(_("Nobody here has anything at stake that is known, so there is nobody to contact yet."))
    gains = _gains(found)
    plan, reps = _planned(gains, wish)
    calls = sum(1 for place in plan.channel if place == 0)
    return Answer(
        sentence=_sentence(desk, wish, plan, calls),
        tiles=_tiles(desk, found, gains, wish, plan, calls),
        parts=[
            ChartPart(_("What if more people called?"), _people(desk, gains, wish), wide=True),
            _list(desk, found, plan, reps),
        ],
        explanation=_explanation(desk, wish),
    )


def _wish(desk: Desk) -> _Wish:
    call = CHANNELS["call"]
    reps = desk.number("people", 3, 0, 200, label=_("People who call"), whole=True)
    daily = desk.number("calls", call.daily or 25, 1, 500, label=_("Calls per person and day"), whole=True)
    days = desk.number("days", 5, 1, 20, label=_("Days"), whole=True)
    symbol = formats.currency_symbol(desk.currency)
    cost = desk.number("cost", call.cost, 0, 10_000, label=_("Cost of a call (%(currency)s)") % {"currency": symbol})
    saves = {
        name: desk.number(
            f"saves_{name}",
            each.saves * 100,
            0,
            100,
            label=_("%(channel)s keeps, %%") % {"channel": CHANNEL_LABELS[name]},
        )
        / 100
        for name, each in CHANNELS.items()
    }
    return _Wish(int(reps), int(daily), int(days), cost, saves)


def _gains(found: Sequence[Candidate]) -> Real:
    """What is at stake with each by each way, all of it; not a number where the way is closed."""
    import numpy as np

    stake = np.array([0.0 if each.recent >= MOST_CONTACTS else float(each.stake) for each in found])
    open_ways = np.array([(each.by_call, each.by_sms, each.by_email) for each in found], dtype=np.bool_)
    return np.where(open_ways, stake[:, None], np.nan)


def _planned(gains: Real, wish: _Wish) -> tuple[Plan, Sequence[int]]:
    import numpy as np

    from patron.intelligence.mining.optimising.contacts import contact_plan, dealt

    gain = gains * np.array([wish.saves[name] for name in ("call", "sms", "email")])
    plan = contact_plan(gain, wish.channels(), days=wish.days, decay=DECAY)
    return plan, dealt(plan, wish.channels(), reps=wish.reps).tolist()


def _sentence(desk: Desk, wish: _Wish, plan: Plan, calls: int) -> str:
    facts = {
        "calls": formats.count(calls),
        "messages": formats.count(plan.contacts - calls),
        "days": formats.count(wish.days),
        "gain": formats.money(float(f"{plan.total:.3g}"), desk.currency, places=0),
    }
    if not plan.contacts:
        return _("By these figures no contact would bring more than it costs: leave everybody in peace.")
    if not calls:
        return (
            _("No call would pay by these figures; send %(messages)s messages, which should save about %(gain)s.")
            % facts
        )
    return (
        _(
            "Call %(calls)s customers within %(days)s days and send %(messages)s messages: by the assumptions below "
            "this saves about %(gain)s of gross profit, costs taken off."
        )
        % facts
    )


def _tiles(desk: Desk, found: Sequence[Candidate], gains: Real, wish: _Wish, plan: Plan, calls: int) -> list[Tile]:
    whole = stakes(desk.warehouse, desk.scope)
    room = wish.reps * wish.daily * wish.days
    more = _planned(gains, replace(wish, reps=wish.reps + 1))[0].total - plan.total
    peace = sum(1 for each in found if each.recent >= MOST_CONTACTS)
    return [
        Tile(
            _("At stake"),
            formats.money(whole.stake, desk.currency, places=0),
            _("gross profit of a year, of %(customers)s customers") % {"customers": formats.count(whole.customers)},
        ),
        Tile(
            _("Calls"),
            formats.count(calls),
            _("of %(room)s that the people can make") % {"room": formats.count(room)},
        ),
        Tile(_("One more person would bring"), formats.money(more, desk.currency, places=0)),
        Tile(
            _("Left in peace"),
            formats.count(peace),
            _("contacted twice or more in 14 days"),
        ),
        Tile(
            _("Cannot be contacted"),
            formats.count(sum(1 for each in found if not each.is_reachable)),
            _("refused, or nothing on file to reach them by"),
        ),
    ]


def _rows(
    desk: Desk, found: Sequence[Candidate], plan: Plan, reps: Sequence[int], limit: int | None = None
) -> list[Row]:
    import numpy as np

    chosen = np.flatnonzero(plan.channel >= 0)
    order = np.lexsort((chosen, -plan.net[chosen], plan.day[chosen], plan.channel[chosen]))
    channels = [str(CHANNEL_LABELS[name]) for name in ("call", "sms", "email")]
    stages = {name: str(label) for name, label in STAGE_LABELS.items()}
    return [
        (
            desk.as_of + timedelta(days=1 + int(plan.day[place])),
            Who(found[place].customer_id),
            channels[plan.channel[place]],
            reps[place] + 1 if reps[place] >= 0 else None,
            float(plan.net[place]),
            found[place].stake,
            found[place].fallen,
            found[place].p_leave,
            stages.get(found[place].stage, ""),
            found[place].days_silent,
        )
        for place in chosen[order][:limit].tolist()
    ]


def _list(desk: Desk, found: Sequence[Candidate], plan: Plan, reps: Sequence[int]) -> TablePart:
    return TablePart(
        key="plan",
        title=_("The plan"),
        columns=[
            Column(_("Day"), "short"),
            Column(_("Customer")),
            Column(_("Channel")),
            Column(_("Caller"), "count"),
            Column(_("Should bring"), "money"),
            Column(_("At stake"), "money"),
            Column(_("of it, buys less already"), "money"),
            Column(_("Chance of leaving"), "percent"),
            Column(_("Stage")),
            Column(_("Days silent"), "count"),
        ],
        rows=_rows(desk, found, plan, reps, PAGE_ROWS),
        note=_("The first 100, calls first; the file has all of them. Costs are taken off what a contact brings."),
        every=lambda: _rows(desk, found, plan, reps),
        empty=_("Nobody: no contact would bring more than it costs."),
    )


def _people(desk: Desk, gains: Real, wish: _Wish) -> Chart:
    highest = max(wish.reps + BEYOND, 5)
    tried = sorted({round(highest * step / 8) for step in range(9)} | {wish.reps})
    points = [(reps, _planned(gains, replace(wish, reps=reps))[0].total) for reps in tried]
    now = dict(points)[wish.reps]
    facts = {
        "people": formats.count(wish.reps),
        "gain": formats.money(now, desk.currency, places=0),
        "most": formats.count(tried[-1]),
        "top": formats.money(points[-1][1], desk.currency, places=0),
    }
    return curves(
        [Curve(_("Saved, costs taken off"), points)],
        x=Series(_("People who call")),
        y=Series(_("Saved, costs taken off"), "money"),
        currency=desk.currency,
        reading=(
            _("%(people)s people save about %(gain)s; %(most)s would save about %(top)s.")
            if points[-1][1] - now >= 1
            else _("%(people)s people save about %(gain)s; more people would save no more.")
        )
        % facts,
    )


def _explanation(desk: Desk, wish: _Wish) -> list[str]:
    told = [
        _(
            "At stake is the gross profit that a customer would bring in a year (lifetime value, if they stay) times "
            "the chance that they leave (churn risk), and, of customers at risk, what they already spend less than "
            "before. A contact is assumed to keep %(call)s of it by phone, %(sms)s by SMS and %(email)s by e-mail, and "
            "each day of waiting loses %(decay)s of that."
        )
        % {
            "call": formats.percent(wish.saves["call"]),
            "sms": formats.percent(wish.saves["sms"]),
            "email": formats.percent(wish.saves["email"]),
            "decay": formats.percent(DECAY),
        },
        _(
            "These shares are assumptions, not findings: they hold until campaigns with control groups have measured "
            "them. Change them above and see whether the plan changes: if it does, measure before you spend."
        ),
        _(
            "Each customer gets at most one contact, by the way and on the day that make the whole bring most within "
            "what the people can do; the plan is the best there is by these figures, not a good guess. Who was "
            "contacted twice in 14 days is left in peace. Consent and quiet hours are checked when a message is sent."
        ),
        _(
            "Nobody is planned for a way that is closed: SMS and e-mail go to those alone who allowed them and have a "
            "number or address on file; who refused calls, or has no number, is not called. While no answer of anybody "
            "is on file, every way is taken to be open: ask before you contact."
        ),
    ]
    if stakes(desk.warehouse, desk.scope).customers > MOST_CANDIDATES:
        told.append(
            _("Looked at are the %(most)s customers with most at stake.") % {"most": formats.count(MOST_CANDIDATES)}
        )
    return told


PAGE: Final = AnalysisPage(
    name="contact-plan",
    title=gettext_lazy("Contact plan"),
    question=gettext_lazy("Whom do we contact in the days to come, how, and who does it?"),
    group="plan",
    icon="phone-outgoing",
    order=20,
    build=build,
    analysis="contact_plan",
)
