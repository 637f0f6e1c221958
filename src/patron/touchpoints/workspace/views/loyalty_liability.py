"""What the programme owes, for finance: outstanding on any day, month by month, and what will never be used."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from patron.business.loyalty.queries import Outstanding, Rolled, cohorts, outstanding, roll_forward
from patron.business.loyalty.rules.breakage import Expected, expected_breakage
from patron.business.storedvalue.queries import stored_value_liability
from patron.business.vouchers.queries.outstanding import vouchers_outstanding
from patron.kernel import clock
from patron.kernel.downloads import FORMATS, download
from patron.kernel.errors import InvalidInput
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.loyalty_charts import ageing_chart, breakage_chart, rolled_chart
from patron.touchpoints.workspace.periods import beginning_of, parse_day
from patron.touchpoints.workspace.programmes import chosen_programme, no_programme

MONTHS_SHOWN = 24


@page(permission="loyalty.finance", nav="points-liability")
def points_liability(request: PageRequest) -> HttpResponseBase:
    """Points and money outstanding at the end of a day (now unless told), the way there, and expected breakage."""
    choice = chosen_programme(request)
    if choice is None:
        return no_programme(request, _("Points liability"))
    now = clock.now()
    today = clock.today(now)
    day = parse_day(request.GET, "on", today)
    if day > today:
        raise InvalidInput(_("Choose today or a day gone by."), details={"field": "on"})
    is_today = day == today
    as_of = now if is_today else beginning_of(day + timedelta(days=1)) - timedelta(microseconds=1)
    held = outstanding(choice.programme, request.actor, as_of=as_of, day=day)
    rolled = roll_forward(choice.programme, request.actor, as_of=as_of)
    expected = expected_breakage(cohorts(choice.programme, request.actor, as_of=as_of, day=day))
    breakage = sum((each.expire for each in expected), Decimal("0.00"))
    return show(
        request,
        "workspace/pages/loyalty_liability.html",
        {
            "held": held,
            "day": day,
            "is_today": is_today,
            "today": today,
            "programmes": choice.tabs,
            "programme": choice.programme,
            "currency": held.currency,
            "parts": _parts(held),
            "overdue": sum((each.points for each in held.ageing if each.overdue), Decimal(0)),
            "rolled": rolled,
            "months": list(reversed(rolled.months))[:MONTHS_SHOWN],
            "rolled_chart": rolled_chart(rolled.months),
            "ageing_chart": ageing_chart(held.ageing),
            "ageing": [{"row": each, "money": held.worth(each.points)} for each in held.ageing],
            "breakage_chart": breakage_chart(expected),
            "cohorts": list(reversed(expected))[:MONTHS_SHOWN],
            "breakage": breakage,
            "breakage_money": held.worth(breakage),
            "expected_money": held.worth(held.gross - breakage),
            "stored_value": stored_value_liability(now=now, as_of=None if is_today else as_of),
            "vouchers": vouchers_outstanding(request.actor, day=today) if is_today else None,
            "export_query": request.GET.urlencode(),
            "as_of": as_of,
        },
    )


@page(permission="loyalty.finance", nav="points-liability")
def points_liability_export(request: PageRequest, table: str, file_format: str) -> HttpResponseBase:
    """The months (`months`) or the breakage by month of earning (`breakage`), as a file."""
    if file_format not in FORMATS:
        raise InvalidInput(_("Choose CSV or XLSX."))
    choice = chosen_programme(request)
    if choice is None:
        return no_programme(request, _("Points liability"))
    now = clock.now()
    today = clock.today(now)
    if table == "months":
        months = roll_forward(choice.programme, request.actor, as_of=now).months
        return download(
            name=f"points-by-month-{today}",
            header=_month_header(),
            rows=map(_month_row, months),
            file_format=file_format,
        )
    expected = expected_breakage(cohorts(choice.programme, request.actor, as_of=now, day=today))
    return download(
        name=f"breakage-{today}", header=_cohort_header(), rows=map(_cohort_row, expected), file_format=file_format
    )


def _month_header() -> list[str]:
    return [
        _("Month"), _("Opening"), _("Issued"), _("Taken back"), _("Redeemed"), _("Expired"), _("Adjusted"),
        _("Transferred"), _("Closing"),
    ]  # fmt: skip


def _month_row(month: Rolled) -> Sequence[object]:
    return (
        month.month, month.opening, month.issued, -month.taken_back, -month.redeemed, -month.expired, month.adjusted,
        month.transferred, month.closing,
    )  # fmt: skip


def _cohort_header() -> list[str]:
    return [
        _("Month"), _("Given"), _("Used"), _("Expired"), _("Still open"), _("Breakage so far"),
        _("Expected to expire"), _("Expected breakage"),
    ]  # fmt: skip


def _cohort_row(each: Expected) -> Sequence[object]:
    cohort = each.cohort
    return (
        cohort.month, cohort.given, cohort.used_so_far, cohort.expired_so_far, cohort.open, _share(cohort.rate),
        each.expire, _share(each.rate),
    )  # fmt: skip


def _share(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(Decimal("0.0001"))


def _parts(held: Outstanding) -> list[dict[str, object]]:
    """The parts of what is outstanding, with their worth."""
    labels = {
        "available": _("Can be spent"),
        "pending": _("Pending"),
        "reserved": _("Set aside"),
        "owed": _("Owed by members"),
    }
    return [
        {"label": label, "points": getattr(held, name), "money": held.worth(getattr(held, name))}
        for name, label in labels.items()
    ]
