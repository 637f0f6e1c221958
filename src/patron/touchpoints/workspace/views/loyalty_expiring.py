"""Points about to expire: how many, when, and whose."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from patron.business.loyalty.queries import all_expiring_members, expiring, expiring_members
from patron.core.customers.queries.names import get_named_customers
from patron.kernel import clock
from patron.kernel.downloads import FORMATS, download
from patron.kernel.errors import InvalidInput, PermissionRefused
from patron.kernel.ui.pages import PageRequest, page, show
from patron.kernel.ui.shell import chosen_branch
from patron.touchpoints.workspace.loyalty_charts import expiring_chart
from patron.touchpoints.workspace.periods import parse_day
from patron.touchpoints.workspace.programmes import Choice, chosen_programme, no_programme

MEMBERS_PER_PAGE = 50


@page(permission="loyalty.reports", nav="points-expiring")
def points_expiring(request: PageRequest) -> HttpResponseBase:
    """What expires until a day (the end of this year unless told), by month, and the members with most at stake."""
    choice = chosen_programme(request)
    if choice is None:
        return no_programme(request, _("Expiring points"))
    now = clock.now()
    today = clock.today(now)
    until = _until(request, today)
    branch = chosen_branch(request)
    branch_ids = [branch.id] if branch else None
    told = expiring(choice.programme, request.actor, day=today, until=until, branch_ids=branch_ids)
    found = expiring_members(
        choice.programme,
        request.actor,
        day=today,
        until=until,
        branch_ids=branch_ids,
        after=_place(request.GET.get("after", "")),
        limit=MEMBERS_PER_PAGE,
    )
    names = get_named_customers((each.customer_id for each in found.members), request.actor)
    return show(
        request,
        "workspace/pages/loyalty_expiring.html",
        {
            "told": told,
            "until": until,
            "place": branch.name if branch else "",
            "programmes": choice.tabs,
            "currency": told.currency,
            "chart": expiring_chart(told.months),
            "rows": [
                {"customer": names[each.customer_id], "row": each, "money": told.worth(each.points)}
                for each in found.members
                if each.customer_id in names
            ],
            "spans": [
                {"label": label, "url": f"?{_query(request, until=day.isoformat())}", "current": day == until}
                for label, day in _spans(today)
            ],
            "first_url": f"?{_query(request)}" if request.GET.get("after") else "",
            "next_url": f"?{_query(request, after=f'{found.following[0]}~{found.following[1]}')}"
            if found.following
            else "",
            "export_query": _query(request),
            "may_export": request.actor.can("customers.export"),
            "as_of": now,
        },
    )


@page(permission="loyalty.reports", nav="points-expiring")
def points_expiring_export(request: PageRequest, file_format: str) -> HttpResponseBase:
    """All members with points at stake, as a file; phones masked as on pages."""
    if file_format not in FORMATS:
        raise InvalidInput(_("Choose CSV or XLSX."))
    if not request.actor.can("customers.export"):
        raise PermissionRefused(details={"permission": "customers.export"})
    choice = chosen_programme(request)
    if choice is None:
        return no_programme(request, _("Expiring points"))
    today = clock.today(clock.now())
    until = _until(request, today)
    return download(
        name=f"expiring-points-{until:%Y-%m-%d}",
        header=[
            _("Customer number"), _("Name"), _("Phone"), _("Branch"), _("Points that expire"), _("Worth"),
            _("First of them after"),
        ],
        rows=_rows(request, choice, today, until),
        file_format=file_format,
    )  # fmt: skip


def _rows(request: PageRequest, choice: Choice, today: date, until: date) -> Iterator[Sequence[object]]:
    branch = chosen_branch(request)
    branch_ids = [branch.id] if branch else None
    programme = choice.programme
    value = programme.point_value
    for members in all_expiring_members(programme, request.actor, day=today, until=until, branch_ids=branch_ids):
        names = get_named_customers((each.customer_id for each in members), request.actor)
        for each in members:
            if each.customer_id in names:
                named = names[each.customer_id]
                yield (
                    named.number, named.name, named.phone, named.home_branch, each.points,
                    (each.points * value).quantize(Decimal("0.01")), each.first_on,
                )  # fmt: skip


def _until(request: PageRequest, today: date) -> date:
    until = parse_day(request.GET, "until", date(today.year, 12, 31))
    if until < today:
        raise InvalidInput(_("Choose a day to come."), details={"field": "until"})
    return until


def _spans(today: date) -> list[tuple[str, date]]:
    """The usual horizons: the end of next month, of this year, of next year."""
    first = today.replace(day=1)
    after_next = (first + timedelta(days=31)).replace(day=1) + timedelta(days=31)
    return [
        (_("Next month"), after_next.replace(day=1) - timedelta(days=1)),
        (_("This year"), date(today.year, 12, 31)),
        (_("Next year"), date(today.year + 1, 12, 31)),
    ]


def _place(text: str) -> tuple[Decimal, int] | None:
    if not text:
        return None
    points, _tilde, key = text.partition("~")
    try:
        place = Decimal(points), int(key)
    except (InvalidOperation, ValueError):
        raise InvalidInput(details={"field": "after"}) from None
    if not place[0].is_finite() or not 0 <= place[1] < 2**63:
        raise InvalidInput(details={"field": "after"})
    return place


def _query(request: PageRequest, **changes: str) -> str:
    query = request.GET.copy()
    query.pop("after", None)
    for name, value in changes.items():
        query[name] = value
    return query.urlencode()
