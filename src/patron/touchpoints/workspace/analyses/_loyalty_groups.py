"""The parts of the loyalty page that compare groups: their loyalty, and which age answers price cuts."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.loyalty import LoyaltyGroup
from patron.kernel.charts import Column
from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS
from patron.touchpoints.workspace.analyses.contract import TablePart

Words = str | Promise

DIMENSION_LABELS: Final[dict[str, Words]] = {
    "value_class": gettext_lazy("Value class"),
    "tier": gettext_lazy("Tier"),
    "stage": gettext_lazy("Stage"),
    "age_band": gettext_lazy("Age"),
}
AGE_LABELS: Final[dict[str, Words]] = {
    "under_25": gettext_lazy("under 25"),
    "25_34": "25–34",
    "35_44": "35–44",
    "45_54": "45–54",
    "55_64": "55–64",
    "65_up": gettext_lazy("65 and over"),
    "unknown": gettext_lazy("Age not known"),
}


def group_name(dimension: str, group: str) -> Words:
    """What people call a group."""
    if dimension == "age_band":
        return AGE_LABELS.get(group, group)
    if dimension == "stage" and group in STAGE_LABELS:
        return STAGE_LABELS[group]
    if dimension == "value_class" and group:
        return _("Class %(letter)s") % {"letter": group}
    if not group:
        return _("Without a tier") if dimension == "tier" else _("None")
    return group[:1].upper() + group[1:]


def age_answer(ages: list[LoyaltyGroup]) -> str:
    """Which age band answers price cuts, said only where the intervals are apart."""
    known = [each for each in ages if each.price_response is not None and each.group != "unknown"]
    if len(known) < 2:
        return ""
    most = max(known, key=lambda each: each.price_response or 0)
    least = min(known, key=lambda each: each.price_response or 0)
    facts = {
        "most": AGE_LABELS.get(most.group, most.group),
        "least": AGE_LABELS.get(least.group, least.group),
        "more": formats.decimal((most.price_response or 0) * 10, 1),
        "less": formats.decimal((least.price_response or 0) * 10, 1),
    }
    if (most.price_response_low or 0) > (least.price_response_high or 0):
        return (
            _(
                "Price cuts move those of %(most)s most (10 %% off: %(more)s %% more in the basket), "
                "those of %(least)s least (%(less)s %%)."
            )
            % facts
        )
    return _("No age answers price cuts clearly more than another (10 %% off: %(less)s to %(more)s %% more).") % facts


def groups_table(dimension: str, groups: list[LoyaltyGroup]) -> TablePart:
    """Loyalty of each group of a dimension."""
    return TablePart(
        key="groups",
        title=_("Loyalty by group"),
        columns=[
            Column(str(DIMENSION_LABELS[dimension])),
            Column(_("Customers"), "count"),
            Column(_("How loyal, of 100"), "count"),
            Column(_("Persistence"), "count"),
            Column(_("Firmness"), "count"),
            Column(_("Stability"), "count"),
            Column(_("Firm"), "percent"),
            Column(_("Cycle growing longer"), "count"),
            Column(_("Gone"), "count"),
            Column(_("Still here after half a year"), "percent"),
            Column(_("At the main branch"), "percent"),
            Column(_("Main brands"), "percent"),
            Column(_("Share of wallet, estimate"), "percent"),
            Column(_("Expected in four weeks"), "money"),
        ],
        rows=[
            (
                group_name(dimension, each.group),
                each.customers,
                each.loyalty,
                each.persistence,
                each.firmness,
                each.stability,
                each.firm_share,
                each.drifting,
                each.gone,
                each.retained_26_weeks,
                each.main_branch_share,
                each.main_brand_share,
                each.wallet_proxy,
                each.expected_spend,
            )
            for each in groups
        ],
        note=_(
            "The whole organisation, groups as of today: who is lost today was not when those sales were made. The "
            "file adds branches, brands, share of wallet and the money expected."
        ),
        only=10,
    )


def prices_table(ages: list[LoyaltyGroup]) -> TablePart:
    """How each age answers price cuts, with intervals."""
    return TablePart(
        key="prices",
        title=_("Which age answers price cuts?"),
        columns=[
            Column(_("Age")),
            Column(_("Customers"), "count"),
            Column(_("Bought at cut prices"), "percent"),
            Column(_("A tenth off: more in the basket"), "percent"),
            Column(_("at least"), "percent"),
            Column(_("at most"), "percent"),
        ],
        rows=[
            (
                AGE_LABELS.get(each.group, each.group),
                each.price_customers,
                each.cut_price_share,
                _tenth(each.price_response),
                _tenth(each.price_response_low),
                _tenth(each.price_response_high),
            )
            for each in ages
        ],
        note=_(
            "How much more of a thing the same customer takes in a purchase when it costs less (95 in 100 such "
            "intervals hold the truth). Who comes because of the offer is not in it: that needs an experiment."
        ),
    )


def _tenth(response: float | None) -> float | None:
    return None if response is None else response / 10
