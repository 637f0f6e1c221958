"""What the till shows of a basket: lines, member, quote, what is paid by what, and what is wrong."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from patron.business.tills.baskets import TillBasket
from patron.business.tills.queries import balance, quote
from patron.core.customers.queries import get_visible_customer
from patron.core.customers.queries.insights import LIFECYCLE, VALUE, insights_of
from patron.core.customers.search import search_customers
from patron.kernel.actor import Actor
from patron.kernel.errors import DomainError
from patron.kernel.ui import formats
from patron.touchpoints.workspace.till_draft import MEANS, Draft, Due, due_of, parts_of

HITS = 6
MEANS_LABELS = {
    "points": lambda: _("Points"),
    "stored_value": lambda: _("Stored value"),
    "card": lambda: _("Bank card"),
    "mobile": lambda: _("Mobile payment"),
    "cash": lambda: _("Cash"),
}


class CounterView:
    """A draft with its quote. `refusal` is what stands in the way of all of it, `problems` are by field."""

    def __init__(self, terminal: Any, draft: Draft, actor: Actor, now: datetime) -> None:
        self.terminal, self.draft, self.actor, self.now = terminal, draft, actor, now
        self.basket, self.problems = draft.basket()
        self.refusal = ""
        self.said = self._said()
        self.net = Decimal(self.said.get("net_amount", 0))
        self.due: Due = due_of(draft, self.net)
        if self.is_priced:
            self.problems |= self.due.problems

    @property
    def is_priced(self) -> bool:
        """Whether there is a price for the whole basket."""
        return bool(self.said.get("lines"))

    @property
    def may_sell(self) -> bool:
        return self.is_priced and not self.problems and not self.refusal

    def _said(self) -> dict[str, Any]:
        """The quote; a member who cannot be found, or a wrong line, is named and left out."""
        if any(not field.startswith("pay-") for field in self.problems):
            return self._member_alone(self.basket)
        if not self.basket.items:
            return self._member_alone(self.basket)
        paid = [*parts_of(self.draft)[0].items()]
        try:
            return quote(self.terminal, self.basket, paid=paid, actor=self.actor, now=self.now)
        except DomainError as error:
            if not self.basket.member:
                self.refusal = str(error.message)
                return {}
            refused = error
        try:
            said = quote(self.terminal, replace(self.basket, member=""), actor=self.actor, now=self.now)
        except DomainError as error:
            self.refusal = str(error.message)
            return {}
        self.problems["member"] = str(refused.message)
        return said | {"say": []}

    def _member_alone(self, basket: TillBasket) -> dict[str, Any]:
        if not basket.member:
            return {}
        try:
            return balance(self.terminal, basket.member, actor=self.actor, now=self.now)
        except DomainError as error:
            self.problems["member"] = str(error.message)
            return {}

    def fill(self, kind: str) -> None:
        """Pay as much by `kind` as can be: what is left, as far as the member has it."""
        others = {name: text for name, text in self.draft.pay.items() if name != kind}
        left = due_of(replace(self.draft, pay=others), self.net).cash
        if kind in ("points", "stored_value"):
            left = min(left, self._at_hand(kind))
        self.draft.pay = {**others, kind: f"{left:.2f}" if left > 0 else ""}
        self.due = due_of(self.draft, self.net)

    def _at_hand(self, kind: str) -> Decimal:
        """The money that the member can pay by points or stored value."""
        if kind == "points":
            return Decimal(self.said.get("points_can_pay") or 0)
        return Decimal(self.said.get("member", {}).get("balances", {}).get("stored_value", 0))

    def context(self) -> dict[str, Any]:
        """What the templates of the till show."""
        member = self.said.get("member")
        return {
            "terminal": self.terminal,
            "draft": self.draft,
            "currency": settings.CURRENCY,
            "rows": self._rows(),
            "said": self.said,
            "is_priced": self.is_priced,
            "net": self.net,
            "gross": Decimal(self.said.get("gross_amount", 0)),
            "voucher_amount": Decimal(self.said.get("voucher_amount", 0)),
            "checks": [check | {"amount": Decimal(check["amount"])} for check in self.said.get("vouchers", ())],
            "usable": [each | {"amount": Decimal(each["amount"])} for each in self.said.get("usable_vouchers", ())],
            "earned": Decimal((self.said.get("points") or {}).get("earned", 0)),
            "why": (self.said.get("points") or {}).get("why", ()),
            "member": member and _member(member, self.actor),
            "member_problem": self.problems.get("member", ""),
            "hits": self._hits(),
            "means": self._means(),
            "due": self.due,
            "problems": self.problems,
            "pay_problems": [self.problems[f"pay-{kind}"] for kind in MEANS if f"pay-{kind}" in self.problems],
            "given_problem": self.problems.get("given", ""),
            "refusal": self.refusal,
            "may_sell": self.may_sell,
            "status": self._status(),
        }

    def _rows(self) -> list[dict[str, Any]]:
        lines = self.said.get("lines") or ()
        return [
            {
                "index": index,
                "row": row,
                "net": Decimal(lines[index]["net_amount"]) if index < len(lines) else None,
                "invalid": {name: f"{name}-{index}" in self.problems for name in ("quantity", "price", "discount")},
                "problems": [
                    self.problems[key]
                    for name in ("quantity", "price", "discount")
                    if (key := f"{name}-{index}") in self.problems
                ],
            }
            for index, row in enumerate(self.draft.rows)
        ]

    def _hits(self) -> list[Any]:
        """Those whom a text that is no card or number may mean."""
        if "member" not in self.problems or not self.actor.can("customers.view"):
            return []
        return search_customers(self.draft.member, actor=self.actor, limit=HITS)

    def _means(self) -> list[dict[str, Any]]:
        """The means of payment beside cash; the member's own only where there is something to pay with."""
        shown = []
        for kind in MEANS:
            own = kind in ("points", "stored_value")
            at_hand = self._at_hand(kind) if own else None
            typed = self.draft.pay.get(kind, "")
            if own and not at_hand and not typed:
                continue
            needed = self.said.get("points_needed") if kind == "points" else None
            shown.append(
                {
                    "kind": kind,
                    "label": MEANS_LABELS[kind](),
                    "typed": typed,
                    "at_hand": at_hand,
                    "needed": Decimal(needed) if needed else None,
                    "invalid": f"pay-{kind}" in self.problems,
                    "secret": kind == "stored_value",
                }
            )
        return shown

    def _status(self) -> str:
        """The quote in a sentence, to be read out."""
        if not self.is_priced:
            return ""
        said = [_("To pay %(money)s.") % {"money": formats.money(self.net, settings.CURRENCY)}]
        if points := (self.said.get("points") or {}).get("earned"):
            said.append(_("%(points)s points to be earned.") % {"points": formats.count(Decimal(points))})
        if self.due.change:
            said.append(_("Change to give: %(money)s.") % {"money": formats.money(self.due.change, settings.CURRENCY)})
        return " ".join(said)


def _member(facts: dict[str, Any], actor: Actor) -> dict[str, Any]:
    """The member as the counter shows them; what models say, and their page, for those who may see it."""
    held = facts["balances"]
    shown: dict[str, Any] = {
        "number": facts["customer"],
        "name": facts["name"] or facts["customer"],
        "tier": facts["tier"]["name"],
        "tier_until": facts["tier"]["until"],
        "points": Decimal(held["points"]),
        "pending": Decimal(held["pending"]),
        "stored_value": Decimal(held["stored_value"]),
        "stamps": Decimal(held["stamps"]),
        "url": "",
    }
    try:
        customer = get_visible_customer(facts["customer"], actor)
    except DomainError:  # a member of another branch: served, not looked into
        return shown
    judged = insights_of(customer) if actor.can("customers.insights_view") else {}
    return shown | {
        "url": reverse("customer", args=[customer.number]),
        "stage": judged[LIFECYCLE].label if LIFECYCLE in judged else "",
        "value_class": judged[VALUE].label if VALUE in judged else "",
    }
