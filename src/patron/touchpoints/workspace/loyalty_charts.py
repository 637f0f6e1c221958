"""The pictures of the loyalty section: pure functions from what was read to a chart."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from patron.business.loyalty.queries import Ageing, ExpiringMonth, Purpose, RedeemingGroup, Rolled, Wait
from patron.business.loyalty.rules.breakage import Expected
from patron.kernel import charts
from patron.kernel.ui import formats

MONTHS_SHOWN = 24


def expiring_chart(months: Sequence[ExpiringMonth]) -> charts.Chart | None:
    """Points that expire, month by month, with the members they belong to; months without any are there too."""
    if not months:
        return None
    by_month = {each.month: each for each in months}
    most = max(months, key=lambda each: each.points)
    return charts.bars_and_line(
        [
            charts.Period(
                month,
                by_month[month].points if month in by_month else 0,
                by_month[month].members if month in by_month else 0,
            )
            for month in every_month(months[0].month, months[-1].month)
        ],
        bars=charts.Series(_("Points that expire")),
        line=charts.Series(_("Members")),
        every="month",
        reading=_("Most expire in %(month)s: %(points)s points of %(members)s members.")
        % {
            "month": formats.day(most.month, "month"),
            "points": formats.count(most.points),
            "members": formats.count(most.members),
        },
    )


def ageing_chart(ageing: Sequence[Ageing]) -> charts.Chart | None:
    """Open points by the month in which they expire; those that never do are only told."""
    points: dict[date, Decimal] = {}
    for each in ageing:
        if each.month is not None:
            points[each.month] = points.get(each.month, Decimal(0)) + each.points
    if not points:
        return None
    never = sum((each.points for each in ageing if each.month is None), Decimal(0))
    reading = _("%(points)s points have a date by which they expire.") % {
        "points": formats.count(sum(points.values(), Decimal(0)))
    }
    if never:
        reading += " " + _("%(points)s never expire.") % {"points": formats.count(never)}
    return charts.bars_and_line(
        [charts.Period(month, points.get(month, 0)) for month in every_month(min(points), max(points))],
        bars=charts.Series(_("Points that expire")),
        every="month",
        reading=reading,
    )


def rolled_chart(months: Sequence[Rolled]) -> charts.Chart | None:
    """What was issued each month, and what was outstanding at its end: the last two years."""
    if not months:
        return None
    shown = months[-MONTHS_SHOWN:]
    return charts.bars_and_line(
        [charts.Period(each.month, each.issued, each.closing) for each in shown],
        bars=charts.Series(_("Issued")),
        line=charts.Series(_("Outstanding at the end")),
        every="month",
        reading=_("Outstanding went from %(opening)s to %(closing)s points over %(months)s months.")
        % {
            "opening": formats.count(shown[0].opening),
            "closing": formats.count(shown[-1].closing),
            "months": formats.count(len(shown)),
        },
    )


def breakage_chart(expected: Sequence[Expected]) -> charts.Chart | None:
    """The share of each month's points that expired unused so far, and the share expected in the end where it is known.

    None while nothing has expired: nobody can say yet.
    """
    shown = [each for each in expected if each.cohort.given > 0][-MONTHS_SHOWN:]
    known = [each for each in shown if each.is_known]
    if not known or not any(each.cohort.expired_so_far for each in expected):
        return None
    given = sum((each.cohort.given for each in known), Decimal(0))
    lost = sum((each.cohort.expired_so_far + each.expire for each in known), Decimal(0))
    return charts.bars_and_line(
        [charts.Period(each.cohort.month, each.cohort.rate or 0, each.rate) for each in shown],
        bars=charts.Series(_("Expired so far"), "percent"),
        line=charts.Series(_("Expected in the end"), "percent"),
        every="month",
        reading=_("Of the points given in these months, %(share)s are expected to expire unused.")
        % {"share": formats.percent(lost / given)},
    )


def purposes_chart(purposes: Sequence[Purpose], labels: dict[str, str]) -> charts.Chart | None:
    """What points were redeemed for, most first."""
    if not purposes:
        return None
    total = sum((each.points for each in purposes), Decimal(0))
    most = purposes[0]
    return charts.horizontal_bars(
        [charts.RankedBar(labels[each.code], each.points) for each in purposes],
        measure=charts.Series(_("Points redeemed")),
        heading=_("Redeemed for"),
        reading=_("%(purpose)s: %(share)s of all points redeemed.")
        % {"purpose": labels[most.code], "share": formats.percent(most.points / total if total else 0)},
    )


def rates_chart(groups: Sequence[RedeemingGroup], labels: dict[str, str], heading: str) -> charts.Chart | None:
    """Points redeemed for each point given, by tier or class; None where there are no two to compare."""
    known = [each for each in groups if each.rate is not None]
    if len(known) < 2:
        return None
    best = max(known, key=lambda each: each.rate or Decimal(0))
    return charts.horizontal_bars(
        [charts.RankedBar(labels.get(each.code, each.code), each.rate or 0) for each in known],
        measure=charts.Series(_("Redeemed of what was given"), "percent"),
        heading=heading,
        reading=_("%(group)s redeem most of what they are given: %(rate)s.")
        % {"group": labels.get(best.code, best.code), "rate": formats.percent(best.rate)},
    )


def waits_chart(waits: Sequence[Wait], mean_days: Decimal | None) -> charts.Chart | None:
    """How long points waited between earning and redeeming."""
    if not waits:
        return None
    return charts.histogram(
        [charts.Bin(each.low, each.high, int(each.points)) for each in waits],
        measure=charts.Series(_("Days from earning to redeeming")),
        counted=_("Points"),
        reading=_("On average a point is redeemed %(days)s days after it was earned.")
        % {"days": formats.decimal(mean_days, 0)},
    )


def every_month(first: date, last: date) -> list[date]:
    """The first days of all months from `first` to `last`."""
    found = [first]
    while found[-1] < last:
        year, month = divmod(12 * found[-1].year + found[-1].month, 12)
        found.append(date(year, month + 1, 1))
    return found
