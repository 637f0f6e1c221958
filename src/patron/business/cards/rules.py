"""What a card's face says: a pure function of the design and of what is known of the member.

The same facts give the same face and the same hash, so a face is drawn once, and whoever kept a picture or a pass can
be told whether it still holds.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from patron.business.cards.designs import LEAST_CONTRAST, PLACES, CodeKind, DesignSpec, Message, contrast
from patron.business.cards.words import LANGUAGES, day, language_of, money, month, number, word

ZERO = Decimal(0)

# What a hash covers besides the content: raised when the drawing itself changes, so that no old picture is served.
DRAWING = 1

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What is known of a member and a card on the day `on`.

    `stored_value` and `vouchers` are None where the house does not offer them. `missing` is what they need to reach
    `next_tier`, as the programme words it (`480 points`); `missing_amount` the same as a number, None where no tier
    is above. `blocked` is a card that was lost or replaced, or whose membership is not active.
    """

    on: date
    number: str
    name: str
    language: str
    programme: str
    joined_on: date
    currency: str
    available: Decimal = ZERO
    owed: Decimal = ZERO
    expiring: Decimal = ZERO
    expires_on: date | None = None
    stored_value: Decimal | None = None
    vouchers: int | None = None
    tier: str = ""
    tier_name: str = ""
    next_tier: str = ""
    missing_amount: Decimal | None = None
    valid_thru: date | None = None
    birth_on: date | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A field at its place."""

    place: str
    field: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class FaceContent:
    """Everything that stands on a face, ready to be drawn. `design_key` names the design it was made by."""

    language: str
    programme: str
    shown: tuple[Shown, ...]
    message: str
    occasion: str
    code: CodeKind
    payload: str
    blocked: bool
    blocked_words: str
    design_key: str

    def text_of(self, field: str) -> str:
        """The text of a field, empty where the design leaves it out."""
        return next((each.text for each in self.shown if each.field == field), "")

    def as_json(self) -> dict[str, Any]:
        """As it is kept and sent."""
        return {
            "language": self.language,
            "programme": self.programme,
            "shown": [
                {"place": each.place, "field": each.field, "label": each.label, "text": each.text}
                for each in self.shown
            ],
            "message": self.message,
            "occasion": self.occasion,
            "code": self.code,
            "payload": self.payload,
            "blocked": self.blocked,
            "blocked_words": self.blocked_words,
            "design_key": self.design_key,
        }

    @property
    def content_hash(self) -> str:
        """32 hexadecimal digits: equal for equal faces."""
        written = json.dumps([DRAWING, self.as_json()], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(written.encode()).hexdigest()[:32]


def face_content(design: DesignSpec, facts: CardFacts, *, design_key: str = "", house: str = "en") -> FaceContent:
    """The face that `design` gives these facts, in the member's language (`house` where it is not known).

    A place whose field says nothing for this member (no tier, no stored value) stays empty.
    """
    language = language_of(facts.language, house=house)
    name = masked_name(facts.name) if design.masks_name else facts.name
    shown = []
    for place in PLACES:
        field = design.places.get(place, "")
        said = _said(field, facts, name, language) if field else None
        if said is not None:
            shown.append(Shown(place, field, *said))
    occasion, message = personal_message(design, facts, name=name, language=language)
    return FaceContent(
        language=language,
        programme=facts.programme,
        shown=tuple(shown),
        message=message,
        occasion=occasion,
        code=code_kind(design.code, facts.number),
        payload=facts.number,
        blocked=facts.blocked,
        blocked_words=word("blocked", language) if facts.blocked else "",
        design_key=design_key,
    )


def _said(field: str, facts: CardFacts, name: str, language: str) -> tuple[str, str] | None:
    """The label and text of a field, or None where there is nothing to say."""
    if field == "balance":
        if facts.owed > 0:
            return word("owed", language), f"−{number(facts.owed)}"
        return word("balance", language), number(facts.available)
    if field == "expiring":
        if facts.expires_on is None or facts.expiring <= 0:
            return None
        text = word("until", language).format(points=number(facts.expiring), day=day(facts.expires_on, language))
        return word("expiring", language), text
    texts = {
        "name": name,
        "tier": facts.tier_name or facts.tier,
        "stored_value": "" if facts.stored_value is None else money(facts.stored_value, facts.currency),
        "vouchers": "" if facts.vouchers is None else str(facts.vouchers),
        "valid_thru": day(facts.valid_thru, language) if facts.valid_thru else "",
        "joined": month(facts.joined_on, language),
        "number": grouped(facts.number),
    }
    return (word(field, language), texts[field]) if texts[field] else None


def personal_message(design: DesignSpec, facts: CardFacts, *, name: str, language: str) -> tuple[str, str]:
    """The occasion and the words: birthday, then expiring points, then a near tier, then what is always said.

    Of one occasion a message for the member's tier goes before one for all. One without words in the member's
    language says them in another.
    """
    for occasion, applies in (
        ("birthday", is_birthday(facts.birth_on, facts.on, within=design.birthday_days)),
        ("expiring", _expires_soon(design, facts)),
        ("near_tier", bool(facts.next_tier) and _near(design, facts)),
        ("default", True),
    ):
        message = _of_occasion(design.messages, occasion, facts.tier) if applies else None
        if message is not None:
            return occasion, _filled(message, facts, name=name, language=language)
    return "", ""


def tells_of_next_tier(design: DesignSpec, facts: CardFacts) -> bool:
    """Whether the card would say how near the next tier is, if it is near: nothing more particular is to be said."""
    return (
        not facts.blocked
        and _of_occasion(design.messages, "near_tier", facts.tier) is not None
        and not (
            is_birthday(facts.birth_on, facts.on, within=design.birthday_days)
            and _of_occasion(design.messages, "birthday", facts.tier) is not None
        )
        and not (_expires_soon(design, facts) and _of_occasion(design.messages, "expiring", facts.tier) is not None)
    )


def is_birthday(birth_on: date | None, on: date, *, within: int) -> bool:
    """Whether `on` lies at most `within` days from a birthday. 29 February is kept on the 28th in common years."""
    if birth_on is None:
        return False
    return any(abs((_anniversary(birth_on, year) - on).days) <= within for year in (on.year - 1, on.year, on.year + 1))


def masked_name(name: str) -> str:
    """A name that only its owner recognises: `陳*文`, `C** T** M**`; latin names keep their initials."""
    parts = name.split()
    if len(parts) > 1:
        return " ".join(part[0] + "*" * min(len(part) - 1, 2) for part in parts)
    if len(name) <= 1:
        return name
    if len(name) == 2:
        return f"{name[0]}*"
    return f"{name[0]}{'*' * min(len(name) - 2, 3)}{name[-1]}"


def code_kind(wanted: CodeKind, payload: str) -> CodeKind:
    """The code that can hold `payload`: an EAN-13 only thirteen digits with their check digit; else Code 128."""
    if wanted != "ean13":
        return wanted
    return "ean13" if is_ean13(payload) else "code128"


def is_ean13(digits: str) -> bool:
    """Whether these are thirteen digits of which the last checks the others."""
    if len(digits) != 13 or not (digits.isascii() and digits.isdigit()):
        return False
    total = sum(int(digit) * (3 if position % 2 else 1) for position, digit in enumerate(digits[:12]))
    return (10 - total % 10) % 10 == int(digits[12])


def grouped(card_number: str) -> str:
    """`8800 1234 5678 9012`, as it is printed on cards."""
    return " ".join(card_number[start : start + 4] for start in range(0, len(card_number), 4))


def readable(ink: str, *grounds: str) -> bool:
    """Whether text of colour `ink` can be read on all `grounds`."""
    return all(contrast(ink, ground) >= LEAST_CONTRAST for ground in grounds)


def _anniversary(birth_on: date, year: int) -> date:
    try:
        return birth_on.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _expires_soon(design: DesignSpec, facts: CardFacts) -> bool:
    return (
        facts.expires_on is not None
        and facts.expiring > 0
        and facts.on <= facts.expires_on <= facts.on + timedelta(days=design.expiring_days)
    )


def _near(design: DesignSpec, facts: CardFacts) -> bool:
    return facts.missing_amount is not None and 0 < facts.missing_amount <= design.near_points


def _of_occasion(messages: Sequence[Message], occasion: str, tier: str) -> Message | None:
    fitting = [each for each in messages if each.occasion == occasion and each.tier in ("", tier)]
    return min(fitting, key=lambda each: not each.tier, default=None)


def _filled(message: Message, facts: CardFacts, *, name: str, language: str) -> str:
    spoken: Mapping[str, str] = message.texts
    text = next((spoken[each] for each in (language, *LANGUAGES) if each in spoken), "")
    values = {
        "name": name,
        "points": number(facts.available),
        "expiring": number(facts.expiring),
        "day": day(facts.expires_on, language) if facts.expires_on else "",
        "missing": number(facts.missing_amount or ZERO),
        "tier": facts.tier_name,
        "next_tier": facts.next_tier,
    }
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)
