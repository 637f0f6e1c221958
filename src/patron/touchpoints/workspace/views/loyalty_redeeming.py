"""What points are redeemed for, by whom, and how long after they were earned."""

from datetime import date, timedelta

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from patron.business.gifts.queries import redemption_figures
from patron.business.loyalty.queries import redeeming
from patron.business.vouchers.queries import redemption
from patron.kernel import clock
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.loyalty_charts import purposes_chart, rates_chart, waits_chart
from patron.touchpoints.workspace.periods import parse_period
from patron.touchpoints.workspace.programmes import chosen_programme, no_programme

TOP = 10


@page(permission="loyalty.reports", nav="redemptions")
def redemptions(request: PageRequest) -> HttpResponseBase:
    """Redemptions of a period: the last twelve months unless told."""
    choice = chosen_programme(request)
    if choice is None:
        return no_programme(request, _("Redemptions"))
    now = clock.now()
    today = clock.today(now)
    period = parse_period(request.GET, first=_a_year_before(today), last=today)
    told = redeeming(choice.programme, request.actor, since=period.since, until=period.until)
    purposes = {"gift": _("Gifts"), "voucher": _("Vouchers"), "till": _("At the till"), "other": _("Other")}
    tiers = {"": _("No tier")}
    classes = {"": _("No class yet"), "A": _("A class"), "B": _("B class"), "C": _("C class")}
    gifts = redemption_figures(request.actor, since=period.since, until=period.until)
    vouchers = [
        each for each in redemption(request.actor, since=period.since, until=period.until) if each.uses or each.issued
    ]
    return show(
        request,
        "workspace/pages/loyalty_redemptions.html",
        {
            "told": told,
            "period": period,
            "programmes": choice.tabs,
            "money": (told.points * choice.programme.point_value),
            "currency": choice.programme.currency,
            "purposes_chart": purposes_chart(told.purposes, purposes),
            "waits_chart": waits_chart(told.waits, told.mean_days),
            "tier_chart": rates_chart(told.by_tier, tiers, _("Tier")),
            "class_chart": rates_chart(told.by_value_class, classes, _("Value class")),
            "purposes": [{"label": purposes[each.code], "row": each} for each in told.purposes],
            "tiers": [{"label": tiers.get(each.code, each.code), "row": each} for each in told.by_tier],
            "classes": [{"label": classes.get(each.code, each.code), "row": each} for each in told.by_value_class],
            "gifts": gifts[:TOP],
            "vouchers": sorted(vouchers, key=lambda each: (-each.uses, each.name))[:TOP],
            "as_of": now,
        },
    )


def _a_year_before(day: date) -> date:
    """The day after the same day last year, so that both ends make one year."""
    try:
        return day.replace(year=day.year - 1) + timedelta(days=1)
    except ValueError:
        return date(day.year - 1, 3, 1)
