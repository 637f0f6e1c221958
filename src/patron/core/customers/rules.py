"""Decisions about customers' files: names, masks, birthdays, which consent counts. No Django."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

CHINESE = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
HIDDEN = "•"
ANY_CHANNEL = "any"
BIRTHDAY_NOTICE_DAYS = 14


def full_name(family_name: str, given_name: str) -> str:
    """A person's name as it is said in full: 陳大文, but John Appleby.

    Chinese names put the family name first, without a space; others put it last.
    """
    family, given = family_name.strip(), given_name.strip()
    if CHINESE.search(family) or (not family and CHINESE.search(given)):
        return f"{family}{given}"
    return f"{given} {family}".strip()


def masked_phone(shown: str) -> str:
    """A phone number as it is shown, its last four digits hidden: `6123 4567` becomes `6123 ••••`."""
    left, hidden = list(shown), 0
    for position in range(len(left) - 1, -1, -1):
        if left[position].isdigit():
            left[position] = HIDDEN
            hidden += 1
            if hidden == 4:
                break
    return "".join(left)


def masked_email(address: str) -> str:
    """An e-mail address of which only the first letter is left: `m•••@…`."""
    return f"{address[:1]}{HIDDEN * 3}@…" if address else ""


def masked_text(text: str) -> str:
    """Any other name in a network: its first letter, the rest hidden."""
    return f"{text[:1]}{HIDDEN * 3}" if text else ""


@dataclass(frozen=True, slots=True)
class Birthday:
    """A day of birth; `year` is None where it is hidden or not known."""

    month: int
    day: int
    year: int | None = None


def birthday(birth_on: date | None, *, unmasked: bool) -> Birthday | None:
    """The birthday as someone may see it: without `unmasked`, the year (and so the age) is hidden."""
    if birth_on is None:
        return None
    return Birthday(birth_on.month, birth_on.day, birth_on.year if unmasked else None)


def days_to_birthday(birth_on: date | None, today: date) -> int | None:
    """Days from `today` to the next birthday, 0 on the day itself. Those born on 29 February have it on 1 March in
    years without that day."""
    if birth_on is None:
        return None
    this_year = _birthday_in(today.year, birth_on)
    coming = this_year if this_year >= today else _birthday_in(today.year + 1, birth_on)
    return (coming - today).days


def _birthday_in(year: int, birth_on: date) -> date:
    try:
        return birth_on.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """One thing that a customer said, yes or no, for a purpose over a channel. `sequence` parts equal instants."""

    purpose: str
    channel: str
    granted: bool
    given_at: datetime
    source: str = ""
    sequence: int = 0


def latest_consents(said: Iterable[ConsentGiven]) -> dict[tuple[str, str], ConsentGiven]:
    """For each purpose and channel, what was said last."""
    latest: dict[tuple[str, str], ConsentGiven] = {}
    for consent in sorted(said, key=lambda c: (c.given_at, c.sequence)):
        latest[consent.purpose, consent.channel] = consent
    return latest


def is_allowed(said: Iterable[ConsentGiven], *, purpose: str, channel: str) -> bool:
    """Whether the customer allows `purpose` over `channel`: what was said last about this channel or about any.

    Nothing said is no.
    """
    latest = latest_consents(said)
    spoken = [latest[key] for key in ((purpose, channel), (purpose, ANY_CHANNEL)) if key in latest]
    return bool(spoken) and max(spoken, key=lambda c: (c.given_at, c.sequence)).granted
