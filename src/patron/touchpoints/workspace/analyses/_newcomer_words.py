"""What the newcomers page calls states, groups and findings, and what the customer's page says of a newcomer."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._loyalty_groups import AGE_LABELS
from patron.touchpoints.workspace.analyses.contract import Finding, Tone

Words = str | Promise

STATE_LABELS: Final[dict[str, Words]] = {
    "due": gettext_lazy("Write to them now"),
    "fresh": gettext_lazy("Too early to write"),
    "late": gettext_lazy("Hardly coming any more"),
    "untold": gettext_lazy("First purchase only"),
    "back": gettext_lazy("Back again"),
}
MEASURE_LABELS: Final[dict[str, Words]] = {
    "back": gettext_lazy("Coming back"),
    "stay": gettext_lazy("Staying"),
}
DIMENSION_LABELS: Final[dict[str, Words]] = {
    "cohort": gettext_lazy("Quarter of the first purchase"),
    "branch": gettext_lazy("Branch of the first purchase"),
    "department": gettext_lazy("Department of the first basket"),
    "age_band": gettext_lazy("Age"),
    "channel": gettext_lazy("Channel of the first purchase"),
}
CHANNELS: Final[dict[str, Words]] = {
    "store": gettext_lazy("Store"),
    "web": gettext_lazy("Web"),
    "phone": gettext_lazy("Phone"),
    "app": gettext_lazy("App"),
}


def group_words(dimension: str, group: str, branches: dict[str, str]) -> str:
    """What people call a group of newcomers."""
    if group == "other":
        return _("Others and not known")
    match dimension:
        case "cohort":
            year, _between, quarter = group.partition("-Q")
            return _("Quarter %(quarter)s of %(year)s") % {"year": year, "quarter": quarter}
        case "branch":
            return branches.get(group, group)
        case "age_band":
            return str(AGE_LABELS.get(group, group))
        case "channel":
            return str(CHANNELS.get(group, group))
        case _:
            return group


def verdict(p_adjusted: float | None, groups: int) -> tuple[str, Tone]:
    """Whether the groups differ, in a word."""
    if p_adjusted is None:
        return (_("One group only") if groups < 2 else _("Too few to compare")), "neutral"
    return (_("They differ"), "warn") if p_adjusted < 0.05 else (_("No difference shown"), "neutral")


def between(low: float | None, high: float | None) -> str:
    """The range of a day, as far as it is known."""
    if low is None:
        return ""
    if high is None:
        return _("day %(low)s or later") % {"low": formats.count(low)}
    return _("day %(low)s to %(high)s") % {"low": formats.count(low), "high": formats.count(high)}


def why(state: str, silence_days: int | None, days_to_second: int | None) -> str:
    """The reason of one row."""
    match state:
        case "back":
            return ngettext("Came back after %(days)s day.", "Came back after %(days)s days.", days_to_second or 0) % {
                "days": formats.count(days_to_second)
            }
        case "fresh":
            told = _("First bought %(days)s days ago: half of those who come back take longer.")
        case "due":
            told = _("First bought %(days)s days ago and silent since: a word now may bring them back.")
        case "late":
            told = _("First bought %(days)s days ago: hardly anybody comes back after so long.")
        case _:
            told = _("First bought %(days)s days ago; too few have come back to tell the chance.")
    return told % {"days": formats.count(silence_days)}


def newcomer_sentence(found: Finding) -> str:
    """Whether the newcomer came back, else how likely."""
    facts = found.facts
    if found.label == "back":
        return ngettext(
            "A newcomer who came back %(days)s day after the first purchase.",
            "A newcomer who came back %(days)s days after the first purchase.",
            int(facts["days_to_second"]),
        ) % {"days": formats.count(facts["days_to_second"])}
    words = {
        "day": formats.day(date.fromisoformat(facts["first_on"])),
        "chance": formats.percent(facts["chance"], 0),
        "days": formats.count(facts["soon_days"]),
        "silence": formats.count(facts["silence_days"]),
    }
    if found.label == "untold":
        return _("Has bought once, on %(day)s, and not come back yet.") % words
    told = _("Has bought once, on %(day)s; %(chance)s likely to come back in the next %(days)s days.") % words
    return formats.sentences(told, _("Write now.")) if found.label == "due" else told
