"""Vouchers: the kinds there are and what they did, one kind with its vouchers, and its codes to take away."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.business.vouchers import queries
from patron.business.vouchers.queries import VoucherDefinition
from patron.core.customers.queries.names import get_named_customers
from patron.kernel.clock import now as present
from patron.kernel.clock import today
from patron.kernel.downloads import FORMATS, download
from patron.kernel.errors import InvalidInput
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.forms import vouchers as forms

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PERIODS = (
    ("", gettext_lazy("So far"), None),
    ("30", gettext_lazy("30 days"), 30),
    ("365", gettext_lazy("One year"), 365),
)
STATE_LABELS = {
    "usable": gettext_lazy("Usable"),
    "reserved": gettext_lazy("At a till just now"),
    "used": gettext_lazy("Used"),
    "expired": gettext_lazy("Expired"),
    "cancelled": gettext_lazy("Cancelled"),
}
STATE_TONES = {"usable": "good", "reserved": "accent", "used": "neutral", "expired": "warn", "cancelled": "bad"}
BULLETS = "••••"


@page(permission="vouchers.view", nav="vouchers")
def voucher_list(request: PageRequest) -> HttpResponseBase:
    """Every kind of voucher with what was given out, used, and the money that it gave and brought."""
    now = present()
    period = request.GET.get("period", "")
    days = {key: span for key, _label, span in PERIODS}.get(period)
    found = queries.redemption(
        request.actor, since=now - timedelta(days=days) if days else LONG_AGO, until=now + timedelta(seconds=1)
    )
    shown = request.GET.get("show", "on")
    rows = [each for each in found if each.is_active == (shown != "off")]
    return show(
        request,
        "workspace/pages/vouchers.html",
        {
            "rows": [_row(each) for each in rows],
            "has_any": bool(found),
            "totals": {
                "uses": sum(each.uses for each in rows),
                "given": sum((each.given for each in rows), Decimal(0)),
                "sales": sum((each.sales for each in rows), Decimal(0)),
            },
            "tabs": [
                {"label": label, "url": f"?{urlencode({'show': key, 'period': period})}", "current": key == shown,
                 "count": sum(each.is_active == (key == "on") for each in found)}
                for key, label in (("on", _("Given out now")), ("off", _("Stopped")))
            ],
            "periods": [
                {"label": label, "url": f"?{urlencode({'show': shown, 'period': key})}", "current": key == period}
                for key, label, _span in PERIODS
            ],
            "currency": settings.CURRENCY,
            "may_manage": request.actor.can("vouchers.manage"),
            "now": now,
        },
    )  # fmt: skip


@page(permission="vouchers.view", nav="vouchers")
def voucher_definition(request: PageRequest, code: str) -> HttpResponseBase:
    """One kind of voucher: its promise in a sentence, its figures, its vouchers."""
    return render_definition(request, queries.get_definition(code, request.actor))


def render_definition(
    request: PageRequest,
    definition: VoucherDefinition,
    *,
    bound: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    """The page of a kind of voucher. `bound` are forms that were refused, by their names."""
    now = present()
    actor, day = request.actor, today(now)
    (figures,) = queries.redemption(
        actor, since=LONG_AGO, until=now + timedelta(seconds=1), definition_id=definition.pk
    )
    state = request.GET.get("state", "")
    if state not in ("", "usable", "used", "expired", "cancelled"):
        raise InvalidInput(_("There is no such list. Open the page again from the navigation."))
    found = queries.vouchers_of_definition(definition, day=day, state=state, before=_before(request))
    standing = queries.states(definition, day=day)
    counts = {"usable": standing.usable, "used": standing.used, "expired": standing.expired,
              "cancelled": standing.cancelled}  # fmt: skip
    key = get_random_string(20)
    return show(
        request,
        "workspace/pages/voucher.html",
        {
            "definition": definition,
            "figures": figures,
            "states": standing,
            "sentence": queries.sentence(figures.terms),
            "facts": _facts(definition),
            "rows": voucher_rows(found.lines, request),
            "tabs": [
                {"label": label, "url": f"?state={name}", "current": name == state,
                 "count": counts.get(name, definition.issued)}
                for name, label in (("", _("All")), *((name, STATE_LABELS[name]) for name in counts))
            ],
            "next_url": f"?state={state}&before={found.next_before}" if found.next_before else "",
            "first_url": f"?state={state}" if request.GET.get("before") else "",
            "currency": settings.CURRENCY,
            "may_manage": actor.can("vouchers.manage"),
            "may_issue": actor.can("vouchers.issue") and definition.is_active
            and definition.issue_on != VoucherDefinition.IssueOn.POINTS,
            "may_sell": actor.can("vouchers.buy") and definition.is_active
            and definition.issue_on == VoucherDefinition.IssueOn.POINTS,
            "may_make_codes": actor.can("vouchers.codes") and definition.is_active
            and definition.issue_on != VoucherDefinition.IssueOn.POINTS,
            "may_take_codes": actor.can("vouchers.codes"),
            "give_form": forms.OnceForm(auto_id="give_%s", initial={"request_key": key}),
            "codes_form": forms.CodesForm(auto_id="codes_%s", initial={"request_key": key}),
            "cancel_form": forms.ReasonForm(auto_id="cancel_%s"),
            "formats": FORMATS,
            "now": now,
            **(bound or {}),
        },
        status=status,
    )  # fmt: skip


@page(permission="vouchers.codes", nav="vouchers")
def voucher_codes(request: PageRequest, code: str, file_format: str) -> HttpResponseBase:
    """The codes that whoever holds them can use, as a file for the printer or the mailing."""
    if file_format not in FORMATS:
        raise InvalidInput(_("Choose CSV or XLSX."))
    definition = queries.get_definition(code, request.actor)
    day = today(present())
    return download(
        name=f"{definition.code}-{day:%Y-%m-%d}",
        header=[_("Code"), _("Uses left"), _("Money left"), _("First day"), _("Last day")],
        rows=_codes(queries.codes_of_definition(definition, request.actor, day=day)),
        file_format=file_format,
    )


def voucher_rows(lines: Sequence[queries.VoucherLine], request: PageRequest) -> list[dict[str, Any]]:
    """Vouchers as a table shows them: with their member where the reader may see who it is.

    A code that whoever holds it can use is shown whole only to those who make codes.
    """
    members = {line.customer_id for line in lines if line.customer_id is not None}
    named = get_named_customers(members, request.actor) if request.actor.can("customers.view") else {}
    sees_codes = request.actor.can("vouchers.codes")
    return [
        {
            "line": line,
            "code": line.shown_code
            if sees_codes or line.customer_id in named
            else f"{line.shown_code[:4]}-{BULLETS}-{BULLETS}",
            "customer": named.get(line.customer_id) if line.customer_id is not None else None,
            "is_bearer": line.customer_id is None,
            "state": STATE_LABELS[line.state],
            "tone": STATE_TONES[line.state],
            "is_usable": line.state == "usable",
        }
        for line in lines
    ]


def _row(each: queries.Redemption) -> dict[str, Any]:
    return {
        "figures": each,
        "url": reverse("voucher-definition", args=[each.code]),
        "promise": queries.promise(each.terms),
        "given": each.issued_when,
    }


def _facts(definition: VoucherDefinition) -> list[tuple[str, str]]:
    """When and how it is given out, for the box beside the list."""
    given = str(definition.get_issue_on_display())
    if definition.issue_terms.get("tiers"):
        given = f"{given}: {', '.join(definition.issue_terms['tiers'])}"
    return [(_("Given"), given), (_("Short code"), definition.code)]


def _codes(lines: Iterator[queries.VoucherLine]) -> Iterator[Sequence[object]]:
    for line in lines:
        yield (line.shown_code, line.uses_left, line.remaining, line.valid_from, line.valid_until)


def _before(request: PageRequest) -> int | None:
    text = request.GET.get("before", "")
    if not text:
        return None
    if not text.isdecimal() or int(text) >= 2**62:
        raise InvalidInput(details={"field": "before"})
    return int(text)
