"""What the analyses say of one customer, in a sentence each, for the customer's page."""

from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses.contract import Finding, Words


def churn_sentence(found: Finding) -> str:
    """How likely the customer leaves, and what would go with them."""
    return _("%(chance)s likely not to come in the next %(days)s days; %(money)s a year is at stake.") % {
        "chance": formats.percent(found.facts["probability"], 0),
        "days": formats.count(found.facts["horizon_days"]),
        "money": formats.money(float(found.facts["expected_loss"]), found.currency, places=0),
    }


def clv_sentence(found: Finding) -> str:
    """What the customer will bring in the coming year."""
    return _(
        "Will bring about %(money)s in the next 52 weeks (%(low)s to %(high)s); %(alive)s likely to be still with you."
    ) % {
        "money": formats.money(found.facts["clv"], found.currency, places=0),
        "low": formats.money(found.facts["clv_low"], found.currency, places=0),
        "high": formats.money(found.facts["clv_high"], found.currency, places=0),
        "alive": formats.percent(found.facts["p_alive"], 0),
    }


def loyalty_sentence(found: Finding) -> str:
    """How loyal the customer is, of 100."""
    return _("%(index)s of 100: persistence %(persistence)s, firmness %(firmness)s, stability %(stability)s.") % {
        "index": formats.count(round(float(found.score or 0))),
        **{name: formats.count(round(found.facts[name])) for name in ("persistence", "firmness", "stability")},
    }


def next_date_sentence(found: Finding) -> str:
    """When the customer will come again."""
    facts = found.facts
    days = {
        "day": _day(facts["expected_on"]),
        "earliest": _day(facts["earliest_on"]),
        "latest": _day(facts["latest_on"]),
    }
    if facts["overdue"]:
        return _("Was expected on %(day)s, at the latest on %(latest)s.") % days
    return _("Expected on %(day)s, between %(earliest)s and %(latest)s.") % days


def next_product_sentence(found: Finding) -> str:
    """The product to offer first, and how often such an offer is right."""
    offer = found.facts["offers"][0]
    return _("Offer %(product)s: one such offer in %(many)s is bought.") % {
        "product": offer["product"],
        "many": formats.count(max(1, round(1 / offer["confidence"]))),
    }


def upsell_sentence(found: Finding) -> str:
    """The next better product, and what it would bring."""
    step = found.facts["steps"][0]
    return _("Ready for better %(category)s: %(product)s; %(money)s more a year.") % {
        "category": step["category"],
        "product": step["product_name"],
        "money": formats.money(step["extra_per_year"], found.currency, places=0),
    }


def lookalikes_sentence(found: Finding) -> str:
    """How much the customer resembles the best when they were new."""
    if found.label != "vip_like":
        return ""
    return _("Looks like your VIPs did: %(chance)s likely to become one, %(times)s times the average.") % {
        "chance": formats.percent(found.facts["chance"], 0),
        "times": formats.decimal(found.facts["times_average"]),
    }


def value_profile_sentence(found: Finding) -> str:
    """What is left of the gross profit after serving the customer."""
    return _("Gross profit %(profit)s less cost to serve %(cost)s leaves %(left)s a year.") % {
        "profit": formats.money(found.facts["gross_profit"], found.currency, places=0),
        "cost": formats.money(found.facts["cost_to_serve"], found.currency, places=0),
        "left": formats.money(found.facts["contribution"], found.currency, places=0),
    }


def words_of(labels: dict[str, tuple[Words, Any]]) -> dict[str, Words]:
    """The words of labels that also have a tone."""
    return {key: words for key, (words, _tone) in labels.items()}


def _day(text: str) -> str:
    return formats.day(date.fromisoformat(str(text)[:10]))
