"""Public holidays of Hong Kong in the reader's language; those of another country keep the name of their calendar."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_OBSERVED: Final = " (observed)"
_HOLIDAYS: Final[dict[str, str | Promise]] = {
    "The first day of January": gettext_lazy("New Year's Day"),
    "Lunar New Year's Day": gettext_lazy("Lunar New Year's Day"),
    "The second day of Lunar New Year": gettext_lazy("Second day of Lunar New Year"),
    "The third day of Lunar New Year": gettext_lazy("Third day of Lunar New Year"),
    "The fourth day of Lunar New Year": gettext_lazy("Fourth day of Lunar New Year"),
    "Ching Ming Festival": gettext_lazy("Ching Ming Festival"),
    "Good Friday": gettext_lazy("Good Friday"),
    "The day following Good Friday": gettext_lazy("Day after Good Friday"),
    "Easter Monday": gettext_lazy("Easter Monday"),
    "Labour Day": gettext_lazy("Labour Day"),
    "The Birthday of the Buddha": gettext_lazy("Birthday of the Buddha"),
    "Tuen Ng Festival": gettext_lazy("Tuen Ng Festival"),
    "Hong Kong Special Administrative Region Establishment Day": gettext_lazy("HKSAR Establishment Day"),
    "The day following the Chinese Mid-Autumn Festival": gettext_lazy("Day after Mid-Autumn Festival"),
    "The second day following the Chinese Mid-Autumn Festival": gettext_lazy("Second day after Mid-Autumn Festival"),
    "National Day": gettext_lazy("National Day"),
    "Chung Yeung Festival": gettext_lazy("Chung Yeung Festival"),
    "Christmas Day": gettext_lazy("Christmas Day"),
    "The first weekday after Christmas Day": gettext_lazy("First weekday after Christmas"),
}


def holiday_words(name: str) -> str:
    """The holiday, and whether it is the day taken off in its stead."""
    plain = name.removesuffix(_OBSERVED)
    known = _HOLIDAYS.get(plain)
    if known is None:
        return name
    return _("%(holiday)s (day off in its stead)") % {"holiday": known} if plain != name else str(known)
