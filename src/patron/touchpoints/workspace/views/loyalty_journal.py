"""The journal of the ledger for finance and auditors."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.business.loyalty.queries import JournalLine, journal, journal_totals, whole_journal
from patron.core.accounts.names import names_of_actors
from patron.kernel import clock
from patron.kernel.downloads import FORMATS, download
from patron.kernel.errors import InvalidInput
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.periods import Period, parse_period
from patron.touchpoints.workspace.views.points_statement import KINDS, UNITS, clock_local

MOVEMENTS_PER_PAGE = 25
ALL_UNITS = {**UNITS, "stored_value": gettext_lazy("Stored value")}
BUCKETS = {
    "available": gettext_lazy("Available"),
    "pending": gettext_lazy("Pending"),
    "reserved": gettext_lazy("Reserved"),
    "issued": gettext_lazy("Issued"),
    "redeemed": gettext_lazy("Redeemed"),
    "expired": gettext_lazy("Expired"),
    "adjusted": gettext_lazy("Adjusted"),
    "transferred": gettext_lazy("Transferred"),
}


@page(permission="loyalty.finance", nav="loyalty-journal")
def loyalty_journal(request: PageRequest) -> HttpResponseBase:
    """Totals of a period (this month unless told) by account, whether they balance, and the movements."""
    now = clock.now()
    period, unit = _chosen(request)
    totals = journal_totals(request.actor, since=period.since, until=period.until, unit=unit)
    after = request.GET.get("after", "")
    if after and not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise InvalidInput(details={"field": "after"})
    found = journal(
        request.actor,
        since=period.since,
        until=period.until,
        unit=unit,
        after=int(after or 0),
        limit=MOVEMENTS_PER_PAGE,
    )
    names = names_of_actors(line.actor for line in found.lines)
    here = f"{period.query}&unit={unit}"
    return show(
        request,
        "workspace/pages/loyalty_journal.html",
        {
            "period": period,
            "unit": unit,
            "units": [{"code": code, "label": label, "current": code == unit} for code, label in ALL_UNITS.items()],
            "totals": totals,
            "accounts": [
                {"unit": ALL_UNITS[each.unit], "bucket": BUCKETS[each.bucket], "row": each} for each in totals.accounts
            ],
            "lines": [
                {
                    "row": line,
                    "kind": KINDS[line.kind],
                    "unit": ALL_UNITS[line.unit],
                    "bucket": BUCKETS[line.bucket],
                    "who": names[line.actor],
                }
                for line in found.lines
            ],
            "first_url": f"?{here}" if after else "",
            "next_url": f"?{here}&after={found.following}" if found.following else "",
            "export_query": here,
            "as_of": now,
        },
    )


@page(permission="loyalty.finance", nav="loyalty-journal")
def loyalty_journal_export(request: PageRequest, file_format: str) -> HttpResponseBase:
    """Every side of every movement of the period, as a file; codes stay as they are stored."""
    if file_format not in FORMATS:
        raise InvalidInput(_("Choose CSV or XLSX."))
    period, unit = _chosen(request)
    header = [
        _("Number"), _("Side"), _("When"), _("Recorded"), _("Unit"), _("Movement"), _("Customer number"), _("Account"),
        _("Debit"), _("Credit"), _("Usable until"), _("Receipt"), _("Answers to"), _("Request"), _("By"),
    ]  # fmt: skip
    return download(
        name=f"journal-{period.first}-{period.last}",
        header=header,
        rows=_rows(whole_journal(request.actor, since=period.since, until=period.until, unit=unit)),
        file_format=file_format,
    )


def _rows(lines: Iterator[JournalLine]) -> Iterator[Sequence[object]]:
    for line in lines:
        yield (
            line.transaction_id, line.line_no, clock_local(line.occurred_at), clock_local(line.recorded_at), line.unit,
            line.kind, line.customer, line.bucket, line.debit, line.credit, line.lot_expires_on, line.purchase or "",
            line.origin_id, line.request_key, line.actor,
        )  # fmt: skip


def _chosen(request: PageRequest) -> tuple[Period, str]:
    today = clock.today(clock.now())
    first = today.replace(day=1)
    if today == first:
        first = (first - timedelta(days=1)).replace(day=1)
    unit = request.GET.get("unit", "")
    if unit and unit not in ALL_UNITS:
        raise InvalidInput(_("There is no such unit."), details={"field": "unit"})
    return parse_period(request.GET, first=first, last=today), unit
