"""Days that sell differently: public holidays and the days before the great feasts, by country."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import EPOCH, Real
from patron.intelligence.mining.errors import ParameterError

#: Feast → words of its name in the source, and days before it on which people shop for it.
_FEASTS: Final[tuple[tuple[str, tuple[str, ...], int], ...]] = (
    ("Lunar New Year", ("Chinese New Year", "Spring Festival", "Lunar New Year", "Seollal"), 10),
    ("Mid-Autumn", ("Mid-Autumn", "Chuseok"), 7),
    ("Christmas", ("Christmas",), 7),
    ("Dragon Boat", ("Dragon Boat", "Tuen Ng"), 3),
)
_OTHER: Final = "public holiday"


@dataclass(frozen=True, slots=True)
class Holiday:
    """A public holiday; ``feast`` is the great feast it belongs to, or empty."""

    day: dt.date
    name: str
    feast: str


@dataclass(frozen=True, slots=True)
class Events:
    """``flags[e, t]``: how strongly event e acts on the day ``first + t``; 0 is not at all."""

    names: tuple[str, ...]
    first: int
    flags: Real

    def window(self, first: int, length: int) -> Real:
        """(events, length) from the day ``first``; days that are not covered have no event."""
        result = np.zeros((len(self.names), length))
        start, stop = max(first, self.first), min(first + length, self.first + self.flags.shape[1])
        if stop > start:
            result[:, start - first : stop - first] = self.flags[:, start - self.first : stop - self.first]
        return result

    def joined(self, other: Events) -> Events:
        """Both lists of events, over the days of this one."""
        return Events(
            (*self.names, *other.names),
            self.first,
            np.vstack([self.flags, other.window(self.first, self.flags.shape[1])]),
        )


def no_events(first: int, length: int) -> Events:
    """A calendar without events."""
    return Events((), first, np.zeros((0, length)))


def holidays_of(country: str, first: int, length: int) -> tuple[Holiday, ...]:
    """Public holidays of ``country`` (ISO 3166, two letters) in ``length`` days from the day ``first``, by day.

    From the package ``holidays``; names in English where it has them. An empty country has none. Raises
    :class:`ParameterError` for a country that the package does not know.
    """
    if not country or length <= 0:
        return ()
    import holidays

    start, stop = EPOCH + dt.timedelta(first), EPOCH + dt.timedelta(first + length)
    years = range(start.year, stop.year + 1)
    try:
        found = holidays.country_holidays(country, years=years, language=_english(country))
    except NotImplementedError as error:
        raise ParameterError(
            f"country is {country!r}; give an ISO 3166 code of two letters such as HK, TW, CN or SG, or leave it empty."
        ) from error
    return tuple(Holiday(day, name, _feast(name)) for day, name in sorted(found.items()) if start <= day < stop)


def _english(country: str) -> str | None:
    import holidays

    languages = holidays.list_localized_countries().get(country, [])
    return next((each for each in languages if each.startswith("en")), None)


def _feast(name: str) -> str:
    return next((feast for feast, words, _ in _FEASTS if any(word in name for word in words)), "")


def holiday_events(country: str, first: int, length: int) -> Events:
    """The holidays of :func:`holidays_of` as events: each great feast, the days before it, other holidays, their eves.

    Events that never happen in these days are left out. Days before a feast rise from 0 to 1.
    """
    longest = max(days for _, _, days in _FEASTS)
    rows: dict[str, Real] = {}

    def mark(name: str, day: int, strength: float) -> None:
        place = day - first
        if 0 <= place < length:
            row = rows.setdefault(name, np.zeros(length))
            row[place] = max(row[place], strength)

    listed = holidays_of(country, first - longest, length + 2 * longest)
    free = {(each.day - EPOCH).days for each in listed}
    seen: dict[str, int] = {}
    for each in listed:
        day = (each.day - EPOCH).days
        mark(each.feast or _OTHER, day, 1.0)
        if each.feast and day - seen.get(each.feast, -999) > 20:
            before = next(days for feast, _, days in _FEASTS if feast == each.feast)
            for back in range(1, before + 1):
                if day - back not in free:
                    mark(f"days before {each.feast}", day - back, 1 - (back - 1) / before)
        elif not each.feast and day - 1 not in free:
            mark(f"day before a {_OTHER}", day - 1, 1.0)
        if each.feast:
            seen[each.feast] = day
    names = tuple(sorted(rows))
    return Events(names, first, np.array([rows[name] for name in names]).reshape(len(names), length))


def event_effects(flags: Real, values: Real, usual: Real) -> Real:
    """For each event, by which share it lifts (or lowers) sales: pooled over all series, drawn towards nothing.

    ``flags`` (events, days), ``values`` and ``usual`` (series, days: what the day would usually bring)::

        effect = Σ flag · (value − usual) / (Σ flag² · usual + k · usual of a mean day)

    with k = 3 days, within −0.9 … 3. An event that did not happen has effect 0.
    """
    above, base = (values - usual).sum(axis=0), usual.sum(axis=0)
    prior = 3.0 * max(float(base.mean()) if len(base) else 0.0, 0.0)
    weight = (flags**2) @ base + prior
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(weight > 0, (flags @ above) / weight, 0.0)
    bounded: Real = np.clip(effect, -0.9, 3.0)
    return bounded
