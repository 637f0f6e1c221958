"""A simulation for people: its rules, tiers and members with names, and its picture."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from patron.business.loyalty.simulating import MemberEffect, Simulation
from patron.core.customers.queries.names import NamedCustomer, get_named_customers
from patron.kernel import charts
from patron.kernel.actor import Actor


def told(found: Simulation, actor: Actor) -> dict[str, Any]:
    """What the result of a simulation shows; customers whom `actor` may not see stay without a name."""
    people = [*found.winners, *found.losers]
    named = get_named_customers([one.customer_id for one in people], actor) if actor.can("customers.view") else {}

    def listed(effects: Sequence[MemberEffect]) -> list[dict[str, Any]]:
        return [_person(effect, named) for effect in effects]

    rules: list[dict[str, Any]] = [
        {"effect": rule, "name": rule.name or _("Base rate"), "difference": rule.points - rule.points_then}
        for rule in found.rules
    ]
    return {
        "simulation": found,
        "currency": found.currency,
        "more": abs(found.difference),
        "cost_more": abs(found.cost_difference),
        "share_more": abs(found.share_difference),
        "rules": rules,
        "winners": listed(found.winners),
        "losers": listed(found.losers),
        "raised": [tier for tier in found.tiers if tier.rises],
        "quiet": [tier for tier in found.tiers if not tier.rises],
        "picture": charts.horizontal_bars(
            [charts.RankedBar(rule["name"], rule["effect"].points) for rule in rules if rule["effect"].points],
            measure=charts.Series(_("Points"), "count"),
            heading=_("Rule"),
        ),
    }


def _person(effect: MemberEffect, named: dict[int, NamedCustomer]) -> dict[str, Any]:
    who = named.get(effect.customer_id)
    return {
        "effect": effect,
        "name": who.name if who else _("A customer of another branch"),
        "url": reverse("customer", args=[who.number]) if who else "",
    }
