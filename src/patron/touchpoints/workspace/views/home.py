"""Home: what a manager asks at nine in the morning."""

from django.http import HttpResponseBase
from django.utils.translation import gettext as _

from patron.core.customers.queries.names import get_named_customers
from patron.intelligence.reports.inventory import inventory, periods
from patron.intelligence.reports.week import ThisWeek, this_week
from patron.kernel import charts
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.views.figures import open_figures


@page(permission="workspace.use", nav="home")
def home(request: PageRequest) -> HttpResponseBase:
    """This week's answers, whom to call today, thirteen weeks of sales, and the customer inventory of the month."""
    figures = open_figures(request) if request.actor.can("reports.view") else None
    if figures is None:
        return show(request, "workspace/pages/welcome.html")
    week = this_week(figures.warehouse, figures.scope, figures.as_of)
    closed = periods(figures.warehouse)
    stock = inventory(figures.warehouse, figures.scope, closed[0]) if closed else None
    names = get_named_customers((call.customer_id for call in week.calls), request.actor)
    return show(
        request,
        "workspace/pages/home.html",
        {
            **figures.context(),
            "week": week,
            "vip_movement": _("+%(in)s in, −%(out)s out this month") % {"in": week.entered, "out": week.left},
            "calls": [
                {"customer": names[call.customer_id], "call": call} for call in week.calls if call.customer_id in names
            ],
            "trend": _trend(week, figures.currency),
            "inventory": stock,
        },
    )


def _trend(week: ThisWeek, currency: str) -> charts.Chart:
    return charts.bars_and_line(
        [
            charts.Period(start=w.start, value=w.sales, line=w.active_members, last_year=w.last_year_sales)
            for w in week.weeks
        ],
        bars=charts.Series(_("Sales"), "money"),
        line=charts.Series(_("Members active"), "count"),
        currency=currency,
    )
