"""The draft of a programme's terms, part by part: what the builder shows, and what becomes of it on a change. Pure.

A draft is the JSON of `Terms`, which may not make sense yet. A part is named by a key: `earning`, `limits`,
`exclusions`, `expiry`, `paying`, `ladder`, or one of a list by its place: `bonuses-0`, `tiers-1`, `events-2`.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.business.loyalty.filters import RuleError
from patron.business.loyalty.rules.terms import Bonus, Event, Terms
from patron.business.loyalty.rules.tiers import Tier
from patron.kernel.errors import InvalidInput
from patron.touchpoints.workspace import programme_words as words
from patron.touchpoints.workspace.programme_warnings import refusal_words

Draft = dict[str, Any]

SETTINGS = {
    "earning": ("base", "rounding", "combine"),
    "limits": ("cap", "pending_days"),
    "exclusions": ("excluded", "excluded_kinds", "excluded_tenders"),
    "expiry": ("expiry",),
    "paying": ("paying",),
}
LADDER = ("measure", "window", "months", "grace_days", "soft_landing")
LISTS = ("bonuses", "tiers", "events")
TITLES: dict[str, str | Promise] = {
    "earning": gettext_lazy("Base rate"),
    "limits": gettext_lazy("Limits and waiting time"),
    "exclusions": gettext_lazy("What earns nothing"),
    "expiry": gettext_lazy("How long points live"),
    "paying": gettext_lazy("Paying with points"),
    "ladder": gettext_lazy("How tiers are reached"),
    "bonuses": gettext_lazy("Bonus rule"),
    "tiers": gettext_lazy("Tier"),
    "events": gettext_lazy("Points without a purchase"),
}


@dataclass(frozen=True, slots=True)
class Preset:
    """A part to choose from: its name becomes the name of what is added."""

    code: str
    sort: str
    label: str | Promise
    icon: str
    settings: Mapping[str, Any]


DOUBLE = {"effect": "multiply", "factor": "2"}
PRESETS = (
    Preset("goods", "bonuses", gettext_lazy("Certain goods"), "shopping-cart", DOUBLE),
    Preset("weekday", "bonuses", gettext_lazy("Day of the week"), "calendar", DOUBLE | {"weekdays": [2]}),
    Preset(
        "hours", "bonuses", gettext_lazy("Quiet hours"), "clock", DOUBLE | {"from_time": "14:00", "until_time": "17:00"}
    ),
    Preset("members", "bonuses", gettext_lazy("Certain members"), "users", DOUBLE),
    Preset("branch", "bonuses", gettext_lazy("Certain branches"), "building-store", DOUBLE),
    Preset("birthday", "bonuses", gettext_lazy("Birthday"), "gift", DOUBLE | {"birthday": "month"}),
    Preset(
        "first", "bonuses", gettext_lazy("First purchase"), "user-plus",
        {"effect": "fixed", "points": "100", "first_purchase": True, "minimum": "50"},
    ),
    Preset(
        "visits", "bonuses", gettext_lazy("Every few visits"), "repeat",
        {"effect": "fixed", "points": "50", "every_nth_visit": 5, "minimum": "50"},
    ),
    Preset(
        "basket", "bonuses", gettext_lazy("Large basket"), "basket",
        {"effect": "fixed", "points": "100", "minimum": "500"},
    ),
    Preset(
        "payment", "bonuses", gettext_lazy("Means of payment"), "credit-card", DOUBLE | {"tenders": ["stored_value"]}
    ),
    Preset(
        "stamps", "bonuses", gettext_lazy("Stamps"), "rubber-stamp",
        {"effect": "per_item", "points": "1", "unit": "stamps"},
    ),
    Preset("tier", "tiers", gettext_lazy("Tier"), "award", {}),
    Preset("referral", "events", gettext_lazy("Referral"), "share", {"points": "100", "once": "always"}),
    Preset("profile", "events", gettext_lazy("Profile completed"), "id", {"points": "50", "once": "ever"}),
    Preset("survey", "events", gettext_lazy("Survey answered"), "forms", {"points": "20", "once": "day"}),
    Preset("check_in", "events", gettext_lazy("Check-in"), "map-pin", {"points": "5", "once": "day"}),
)  # fmt: skip
TIERS = (
    ("silver", gettext_lazy("Silver")),
    ("gold", gettext_lazy("Gold")),
    ("platinum", gettext_lazy("Platinum")),
    ("diamond", gettext_lazy("Diamond")),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a draft cannot be published: in which part, at which of its fields, in words."""

    key: str
    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """A part as the builder shows it: its key, what it is called, and its sentence (of an unfinished part: why)."""

    key: str
    title: str
    words: str
    finished: bool = True


# --- parts -------------------------------------------------------------------------------------------------------


def split_key(draft: Mapping[str, Any], key: str) -> tuple[str, int]:
    """Sort and place of a part (0 where there is one only). Raises InvalidInput for a part that is not there."""
    sort, _dash, place = key.partition("-")
    if key in SETTINGS or key == "ladder":
        return key, 0
    if sort in LISTS and place.isdecimal() and int(place) < len(_list(draft, sort)):
        return sort, int(place)
    raise InvalidInput(_("This part of the draft is no longer there."), details={"field": "part"})


def part(draft: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The settings of a part."""
    sort, place = split_key(draft, key)
    if sort in SETTINGS:
        return {name: draft[name] for name in SETTINGS[sort] if name in draft}
    if sort == "ladder":
        return {name: value for name, value in _tiers(draft).items() if name in LADDER}
    return dict(_list(draft, sort)[place])


def changed(draft: Mapping[str, Any], key: str, settings: Mapping[str, Any]) -> Draft:
    """The draft with other settings in a part."""
    sort, place = split_key(draft, key)
    found = copy.deepcopy(dict(draft))
    if sort in SETTINGS:
        for name in SETTINGS[sort]:
            found.pop(name, None)
        return found | dict(settings)
    if sort == "ladder":
        found["tiers"] = {**settings, "ladder": _list(found, "tiers")}
        return found
    _list(found, sort)[place] = dict(settings)
    return found


def added(draft: Mapping[str, Any], preset: Preset) -> tuple[Draft, str]:
    """The draft with one more part at the end of its list, and the key of that."""
    found = copy.deepcopy(dict(draft))
    if preset.sort == "tiers":
        found["tiers"] = {**_tiers(found), "ladder": _list(found, "tiers")}
        settings = _next_tier(found["tiers"]["ladder"])
    else:
        found[preset.sort] = _list(found, preset.sort)
        taken = {one.get("code") for one in found[preset.sort]}
        codes = (preset.code if n == 1 else f"{preset.code}-{n}" for n in range(1, len(taken) + 2))
        settings = {"code": next(code for code in codes if code not in taken), "name": str(preset.label)}
        settings |= copy.deepcopy(dict(preset.settings))
    listed = _list(found, preset.sort)
    listed.append(settings)
    return found, f"{preset.sort}-{len(listed) - 1}"


def removed(draft: Mapping[str, Any], key: str) -> Draft:
    """The draft without one part of a list."""
    sort, place = split_key(draft, key)
    found = copy.deepcopy(dict(draft))
    if sort in LISTS:
        del _list(found, sort)[place]
    return found


def moved(draft: Mapping[str, Any], key: str, by: int) -> tuple[Draft, str]:
    """The draft with a part of a list one place earlier (-1) or later (1), and its new key."""
    sort, place = split_key(draft, key)
    found = copy.deepcopy(dict(draft))
    if sort not in LISTS:
        return found, key
    listed = _list(found, sort)
    to = min(max(place + by, 0), len(listed) - 1)
    listed.insert(to, listed.pop(place))
    return found, f"{sort}-{to}"


def _tiers(draft: Mapping[str, Any]) -> dict[str, Any]:
    return dict(draft.get("tiers") or {})


def _list(draft: Mapping[str, Any], sort: str) -> list[dict[str, Any]]:
    found = _tiers(draft).get("ladder") if sort == "tiers" else draft.get(sort)
    return found if isinstance(found, list) else []


def _next_tier(ladder: list[dict[str, Any]]) -> dict[str, Any]:
    taken = {tier.get("code") for tier in ladder}
    free = [(code, str(name)) for code, name in TIERS if code not in taken]
    number = len(ladder) + 1
    code, name = free[0] if free else (f"tier-{number}", _("Tier %(number)s") % {"number": number})
    try:
        threshold = max((int(float(tier.get("threshold") or 0)) for tier in ladder), default=0) * 2 or 1000
    except ValueError:
        threshold = 1000
    return {"code": code, "name": name, "threshold": str(threshold)}


# --- reading -----------------------------------------------------------------------------------------------------


def read(draft: Mapping[str, Any]) -> tuple[Terms | None, Refusal | None]:
    """The terms that the draft makes, or why it makes none."""
    try:
        return Terms.read(draft), None
    except RuleError as error:
        key, field = locate(error.place)
        return None, Refusal(key, field, refusal_words(str(error)))


def locate(place: str) -> tuple[str, str]:
    """The key of the part, and the name of its field, that a place among the terms belongs to.

    >>> locate("bonuses[2].cap.purchase")
    ('bonuses-2', 'cap_purchase')
    """
    if found := re.fullmatch(r"(bonuses|events|tiers\.ladder)\[(\d+)\]\.?(\w*)(.*)", place):
        sort, number, name, rest = found.groups()
        field = f"{name}{rest}".replace(".", "_") if name != "benefits" else name
        return f"{'tiers' if sort.startswith('tiers') else sort}-{number}", field
    first = re.split(r"[.\[]", place)[0]
    if first == "tiers":
        return "ladder", place.partition(".")[2]
    key = next((key for key, names in SETTINGS.items() if first in names), "earning")
    return key, place.replace(".", "_")


def lines(draft: Mapping[str, Any], currency: str, names: words.Names | None = None) -> list[Line]:
    """Every part with its sentence, in the order of the builder."""
    found = [_line(draft, "earning", currency, names)]
    found += [_line(draft, f"bonuses-{n}", currency, names) for n in range(len(_list(draft, "bonuses")))]
    found += [_line(draft, key, currency, names) for key in ("limits", "exclusions", "expiry", "paying", "ladder")]
    for sort in ("tiers", "events"):
        found += [_line(draft, f"{sort}-{n}", currency, names) for n in range(len(_list(draft, sort)))]
    return found


def _line(draft: Mapping[str, Any], key: str, currency: str, names: words.Names | None) -> Line:
    sort, _place = split_key(draft, key)
    settings = part(draft, key)
    title = str(settings.get("name") or "") if sort in LISTS else ""
    title = title or str(TITLES[sort])
    try:
        return Line(key, title, _said(draft, sort, settings, currency, names))
    except RuleError as error:
        return Line(key, title, refusal_words(str(error)), finished=False)


def _said(
    draft: Mapping[str, Any], sort: str, settings: Mapping[str, Any], currency: str, names: words.Names | None
) -> str:
    match sort:
        case "earning":
            terms = Terms.read(settings)
            return words.earning_words(terms, currency)
        case "limits":
            return words.limits_words(Terms.read(settings))
        case "exclusions":
            return words.exclusion_words(Terms.read(settings), names)
        case "expiry":
            return words.expiry_words(Terms.read(settings).expiry)
        case "paying":
            return words.paying_words(Terms.read(settings).paying, currency)
        case "ladder":
            return words.ladder_words(Terms.read({"tiers": _tiers(draft)}).tiers)
        case "bonuses":
            return words.bonus_words(Bonus.read(settings, ""), currency, names)
        case "tiers":
            measure = str(_tiers(draft).get("measure") or "qualifying")
            measure = measure if measure in words.MEASURES else "qualifying"
            return words.tier_words(Tier.read(settings, ""), measure, currency)
        case _:
            return words.event_words(Event.read(settings, ""))
