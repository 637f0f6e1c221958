"""What is worth a look: unusual earning, spending, returns, adjustments and codes."""

from collections import Counter
from datetime import timedelta
from urllib.parse import urlencode

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from patron.business.loyalty.queries import Finding, Thresholds, findings
from patron.business.vouchers.queries.guessing import Guessing, guessing
from patron.core.accounts.names import names_of_actors
from patron.core.customers.queries.names import NamedCustomer, get_named_customers
from patron.kernel import clock
from patron.kernel.ui import formats
from patron.kernel.ui.pages import PageRequest, page, show
from patron.kernel.ui.shell import branches_for
from patron.touchpoints.workspace.periods import Period, parse_period
from patron.touchpoints.workspace.watch_words import LABELS, MOST_ALLOWED, TITLES, said, typed_thresholds

DAYS = 30
WRONG_CODES = 20
SHOWN = 50
"""Findings on the page: who wants to see more chooses a kind, a shorter period or higher limits."""


@page(permission="loyalty.watch", nav="loyalty-watch")
def loyalty_watch(request: PageRequest) -> HttpResponseBase:
    """Findings of a period (the last 30 days unless told), most points at stake first."""
    now = clock.now()
    today = clock.today(now)
    period = parse_period(request.GET, first=today - timedelta(days=DAYS - 1), last=today)
    thresholds = typed_thresholds(request.GET)
    wrong = _wrong_codes(request)
    found = findings(request.actor, since=period.since, until=period.until, thresholds=thresholds)
    guessed = guessing(request.actor, since=period.since, until=period.until, least=wrong)
    counts = Counter(each.rule for each in found)
    counts["wrong_codes"] = len(guessed)
    rule = request.GET.get("rule", "")
    shown = [each for each in found if not rule or each.rule == rule]
    more, shown = len(shown) - SHOWN, shown[:SHOWN]
    names = get_named_customers({each.customer_id for each in shown if each.customer_id}, request.actor)
    query = request.GET.copy()
    query.pop("rule", None)
    rows = [*_rows(request, shown, names, period), *(_guessed(each) for each in guessed if rule in ("", "wrong_codes"))]
    return show(
        request,
        "workspace/pages/loyalty_watch.html",
        {
            "period": period,
            "rows": rows,
            "more": max(more, 0),
            "findings": len(found) + len(guessed),
            "people": len({each.customer_id for each in found if each.customer_id}),
            "points": sum(each.points for each in found),
            "rule": rule,
            "tabs": [
                {
                    "label": label,
                    "url": f"?{urlencode([*query.items(), *([('rule', code)] if code else [])])}",
                    "current": code == rule,
                    "count": counts[code] if code else len(found) + len(guessed),
                }
                for code, label in (("", _("Everything")), *TITLES.items())
                if not code or counts[code] or code == rule
            ],
            "thresholds": [
                {"name": name, "label": LABELS[name], "value": getattr(thresholds, name)}
                for name in Thresholds.__dataclass_fields__
            ]
            + [{"name": "wrong_codes", "label": LABELS["wrong_codes"], "value": wrong}],
            "most_allowed": MOST_ALLOWED,
            "as_of": now,
        },
    )


def _rows(
    request: PageRequest, shown: list[Finding], names: dict[int, NamedCustomer], period: Period
) -> list[dict[str, object]]:
    actors = names_of_actors(each.who for each in shown if each.who)
    branches = {branch.id: branch.name for branch in branches_for(request.actor)}
    rows = []
    for each in shown:
        who = actors.get(each.who, "")
        named = names.get(each.customer_id or 0)
        words = said(each, who=who, branches=branches)
        rows.append(
            {
                "title": words.title,
                "seen": words.seen,
                "meaning": words.meaning,
                "name": named.name if named else who if each.customer_id is None else _("A member of another branch"),
                "url": f"{reverse('points-statement', args=[named.number])}?{period.query}" if named else "",
                "points": each.points,
                "first_at": each.first_at,
                "last_at": each.last_at,
            }
        )
    return rows


def _guessed(each: Guessing) -> dict[str, object]:
    return {
        "title": TITLES["wrong_codes"],
        "seen": _("%(times)s codes that nobody has were typed in %(hours)s hours, %(worst)s in one of them.")
        % {
            "times": formats.count(each.attempts),
            "hours": formats.count(each.hours),
            "worst": formats.count(each.worst),
        },
        "meaning": _("A worn print or a hurried hand mistypes; many at once look like guessing."),
        "name": each.terminal or _("No terminal named"),
        "url": "",
        "points": None,
        "first_at": each.first_at,
        "last_at": each.last_at,
    }


def _wrong_codes(request: PageRequest) -> int:
    text = request.GET.get("wrong_codes", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0
    return number if 1 <= number <= MOST_ALLOWED else WRONG_CODES
