"""What a card's design says: colours, which field stands where, messages, the code. Pure; JSON in and out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from patron.business.cards.words import LANGUAGES

CodeKind = Literal["qr", "code128", "ean13"]
Occasion = Literal["birthday", "expiring", "near_tier", "default"]

PLACES = ("corner", "headline", "figure", "first", "second", "third", "foot")
"""Where something can stand, from top to bottom. The message and the code have their own places."""

FIELDS = ("name", "tier", "balance", "expiring", "stored_value", "vouchers", "valid_thru", "joined", "number")
CODES: tuple[CodeKind, ...] = ("qr", "code128", "ean13")
OCCASIONS: tuple[Occasion, ...] = ("birthday", "expiring", "near_tier", "default")
"""The occasions of personal messages, the most particular first: the first that applies is shown."""

PLACEHOLDERS = ("name", "points", "expiring", "day", "missing", "tier", "next_tier")
LONGEST_MESSAGE = 120
LEAST_CONTRAST = 3.0
"""Of text with its ground, as WCAG 2.2 asks of large text."""

_COLOUR = re.compile(r"#[0-9a-f]{6}\Z")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}|[{}]")


class DesignError(ValueError):
    """A design that cannot be drawn. `place` names the part that is wrong."""

    def __init__(self, place: str, code: str, **values: object) -> None:
        self.place, self.code, self.values_ = place, code, values
        super().__init__(f"{place}: {code}")


@dataclass(frozen=True, slots=True)
class Message:
    """What the card says on an occasion, by language; `tier` limits it to members of one tier."""

    occasion: Occasion
    texts: Mapping[str, str]
    tier: str = ""


@dataclass(frozen=True, slots=True)
class DesignSpec:
    """A design but for its pictures.

    The ground runs from `ground` to `ground_to`; `ink` is the colour of text, `accent` that of the tier and the line.
    `places` says which of FIELDS stands at which of PLACES. Points count as expiring soon within `expiring_days`; a
    birthday is kept for `birthday_days` before and after; the next tier is near within `near_points` qualifying points.
    """

    ground: str = "#0f766e"
    ground_to: str = "#0b3b46"
    ink: str = "#ffffff"
    accent: str = "#f2c879"
    places: Mapping[str, str] = field(default_factory=dict)
    messages: Sequence[Message] = ()
    code: CodeKind = "qr"
    masks_name: bool = False
    expiring_days: int = 60
    birthday_days: int = 7
    near_points: int = 200

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "ground": self.ground,
            "ground_to": self.ground_to,
            "ink": self.ink,
            "accent": self.accent,
            "places": dict(self.places),
            "messages": [
                {"occasion": each.occasion, "tier": each.tier, "texts": dict(each.texts)} for each in self.messages
            ],
            "code": self.code,
            "masks_name": self.masks_name,
            "expiring_days": self.expiring_days,
            "birthday_days": self.birthday_days,
            "near_points": self.near_points,
        }


STANDARD = DesignSpec(
    places={
        "corner": "tier",
        "headline": "name",
        "figure": "balance",
        "first": "expiring",
        "second": "stored_value",
        "third": "vouchers",
        "foot": "number",
    },
    messages=(
        Message(
            "birthday",
            {
                "en": "Happy birthday, {name}!",
                "zh-hant": "{name}，祝您生日快樂！",
                "zh-hans": "{name}，祝您生日快乐！",
            },
        ),
        Message(
            "expiring",
            {
                "en": "Use {expiring} points by {day}.",
                "zh-hant": "您有 {expiring} 分將於 {day} 到期，歡迎使用。",
                "zh-hans": "您有 {expiring} 分将于 {day} 到期，欢迎使用。",
            },
        ),
        Message(
            "near_tier",
            {
                "en": "Only {missing} more to {next_tier}.",
                "zh-hant": "再累積 {missing} 即可升級至{next_tier}。",
                "zh-hans": "再累积 {missing} 即可升级至{next_tier}。",
            },
        ),
        Message("default", {"en": "Thank you for coming.", "zh-hant": "多謝光臨！", "zh-hans": "谢谢光临！"}),
    ),
)
"""The design of a programme that has made none of its own."""


def parse_design(given: Mapping[str, Any]) -> DesignSpec:
    """The design that this JSON says; what it leaves out is as in STANDARD. Raises DesignError naming the part."""
    unknown = sorted(set(given) - set(STANDARD.as_json()))
    if unknown:
        raise DesignError(unknown[0], "unknown")
    kept = {**STANDARD.as_json(), **given}
    spec = DesignSpec(
        ground=_colour(kept, "ground"),
        ground_to=_colour(kept, "ground_to"),
        ink=_colour(kept, "ink"),
        accent=_colour(kept, "accent"),
        places=_places(kept["places"]),
        messages=_messages(kept["messages"]),
        code=_choice(kept, "code", CODES),
        masks_name=kept["masks_name"] is True,
        expiring_days=_whole(kept, "expiring_days", 366),
        birthday_days=_whole(kept, "birthday_days", 31),
        near_points=_whole(kept, "near_points", 1_000_000),
    )
    for ground in ("ground", "ground_to"):
        ratio = contrast(spec.ink, getattr(spec, ground))
        if ratio < LEAST_CONTRAST:
            raise DesignError("ink", "unreadable", ratio=round(ratio, 1))
    return spec


def with_places(spec: DesignSpec, **places: str) -> DesignSpec:
    """`spec` with other fields at these places; an empty field empties the place."""
    merged = {**spec.places, **places}
    return replace(spec, places={place: name for place, name in merged.items() if name})


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _colour(kept: Mapping[str, Any], name: str) -> str:
    value = str(kept[name]).strip().lower()
    if not _COLOUR.match(value):
        raise DesignError(name, "colour")
    return value


def _choice(kept: Mapping[str, Any], name: str, choices: Sequence[Any]) -> Any:
    if kept[name] not in choices:
        raise DesignError(name, "choice")
    return kept[name]


def _whole(kept: Mapping[str, Any], name: str, most: int) -> int:
    value = kept[name]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise DesignError(name, "whole", most=most)
    return value


def _places(given: object) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise DesignError("places", "choice")
    places = {str(place): str(name) for place, name in given.items() if name}
    for place, name in places.items():
        if place not in PLACES or name not in FIELDS:
            raise DesignError(f"places.{place}", "choice")
    ordered = {place: places[place] for place in PLACES if place in places}
    seen: set[str] = set()
    for place, name in ordered.items():
        if name in seen:
            raise DesignError(f"places.{place}", "twice")
        seen.add(name)
    return ordered


def _messages(given: object) -> tuple[Message, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise DesignError("messages", "choice")
    messages = []
    for position, each in enumerate(given):
        place = f"messages.{position}"
        if not isinstance(each, Mapping) or each.get("occasion") not in OCCASIONS:
            raise DesignError(place, "choice")
        texts = {
            language: str(text).strip()
            for language, text in dict(each.get("texts") or {}).items()
            if language in LANGUAGES and str(text).strip()
        }
        for text in texts.values():
            _check_text(text, place)
        if texts:
            messages.append(Message(each["occasion"], texts, str(each.get("tier") or "")))
    return tuple(messages)


def _check_text(text: str, place: str) -> None:
    if len(text) > LONGEST_MESSAGE:
        raise DesignError(place, "long", most=LONGEST_MESSAGE)
    for match in _PLACEHOLDER.finditer(text):
        if match[1] not in PLACEHOLDERS:
            raise DesignError(place, "placeholder", wrong=match[0])
