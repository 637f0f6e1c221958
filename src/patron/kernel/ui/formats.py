"""How numbers, money, days and instants are written for people, in each of the product's languages.

Digits are grouped by three everywhere: that is how shops in all three languages print amounts (Django's own Chinese
formats group by four). Every function takes plain values and reads only the active language and time zone.
"""

from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext

from patron.kernel.money import MINOR_DIGITS, Money, quantum

Number = int | float | Decimal

NO_VALUE = "–"
_MINUS = "−"
_NBSP = "\N{NO-BREAK SPACE}"
_SYMBOLS = {
    "HKD": "HK$",
    "CNY": "CN¥",
    "TWD": "NT$",
    "MOP": "MOP$",
    "SGD": "S$",
    "USD": "US$",
    "GBP": "£",
    "EUR": "€",
    "JPY": "JP¥",
}
_LATIN_DATES = {
    "full": "D j M Y",
    "day": "j M Y",
    "short": "j M",
    "month": "M Y",
    "instant": "D j M H:i",
    "instant_year": "j M Y H:i",
    "time": "H:i",
}
_CHINESE_DATES = {
    "full": "Y年n月j日 l",
    "day": "Y年n月j日",
    "short": "n月j日",
    "month": "Y年n月",
    "instant": "n月j日 H:i",
    "instant_year": "Y年n月j日 H:i",
    "time": "H:i",
}


def is_chinese() -> bool:
    """Whether the active language is one of the Chinese ones."""
    return (get_language() or "en").startswith("zh")


def sentences(*told: str) -> str:
    """Sentences one after the other, empty ones left out; Chinese writes no space between them."""
    return ("" if is_chinese() else " ").join(filter(None, told))


def currency_symbol(currency: str) -> str:
    """What stands before an amount: `HK$`, or the code and a space where there is no usual symbol."""
    return _SYMBOLS.get(currency, f"{currency}{_NBSP}")


def _grouped(value: Number, places: int) -> str:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    rounded = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,.{places}f}"
    return f"{_MINUS}{text}" if rounded < 0 else text


def count(value: Number | None) -> str:
    """A number of things: `12,430`."""
    return NO_VALUE if value is None else _grouped(value, 0)


def decimal(value: Number | None, places: int = 1) -> str:
    """A measured number with fixed places: `1.77`."""
    return NO_VALUE if value is None else _grouped(value, places)


def money(value: Money | Number | None, currency: str = "", *, places: int | None = None) -> str:
    """An amount with its currency: `HK$12,430.50`.

    A plain number takes `currency` (none: digits only). `places` None means the currency's own minor digits;
    0 gives whole units, as answers and charts want.
    """
    if value is None:
        return NO_VALUE
    if isinstance(value, Money):
        currency = value.currency
        value = value.amount
    if places is None:
        places = max(0, -int(quantum(currency).as_tuple().exponent)) if currency in MINOR_DIGITS else 2
    text = _grouped(value, places)
    symbol = currency_symbol(currency) if currency else ""
    return f"{_MINUS}{symbol}{text[1:]}" if text.startswith(_MINUS) else f"{symbol}{text}"


def percent(value: Number | None, places: int = 1, *, signed: bool = False) -> str:
    """A share of one as a percentage: 0.546 is `54.6 %` (Chinese: `54.6%`). `signed` writes a plus before gains."""
    if value is None:
        return NO_VALUE
    exact = (value if isinstance(value, Decimal) else Decimal(str(value))) * 100
    text = _grouped(exact, places)
    plus = "+" if signed and exact > 0 and text.strip("0.,") else ""
    return f"{plus}{text}%" if is_chinese() else f"{plus}{text}{_NBSP}%"


def signed_count(value: Number | None) -> str:
    """A change in a number of things: `+9`, `−7`, `0`."""
    if value is None:
        return NO_VALUE
    return f"+{_grouped(value, 0)}" if value > 0 else _grouped(value, 0)


def _dated(value: date, style: str) -> str:
    patterns = _CHINESE_DATES if is_chinese() else _LATIN_DATES
    return date_format(value, patterns[style], use_l10n=False)


def day(value: date | None, style: str = "day") -> str:
    """A calendar day. Styles: `full` (with weekday), `day`, `short` (no year), `month`.

    An instant is first taken to the active zone, so that it falls on the day people there call it.
    """
    if value is None:
        return NO_VALUE
    return _dated(timezone.localtime(value) if isinstance(value, datetime) else value, style)


def instant(value: datetime | None, zone: tzinfo | None = None, style: str = "instant") -> str:
    """An aware instant in `zone` (the active one by default). Styles: `instant`, `instant_year`, `time`."""
    if value is None:
        return NO_VALUE
    return _dated(timezone.localtime(value, zone), style)


def since(value: date | None, as_of: date) -> str:
    """How long ago `value` was on the day `as_of`: today, yesterday, 19 days ago, 5 months ago, 2 years ago."""
    if value is None:
        return NO_VALUE
    days = (as_of - value).days
    if days < 0:
        return day(value)
    if days == 0:
        return gettext("today")
    if days == 1:
        return gettext("yesterday")
    if days < 90:
        return ngettext("%(count)s day ago", "%(count)s days ago", days) % {"count": count(days)}
    months = days * 12 // 365
    if months < 24:
        return ngettext("%(count)s month ago", "%(count)s months ago", months) % {"count": count(months)}
    years = days // 365
    return ngettext("%(count)s year ago", "%(count)s years ago", years) % {"count": count(years)}


def initials(name: str) -> str:
    """What an avatar shows: the family name of a Chinese name, else up to two initials."""
    words = name.split()
    if not words:
        return "?"
    if words[0][0] >= "\u2e80":  # where the Chinese, Japanese and Korean blocks begin
        return words[0][0]
    return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper()


def by_name(value: object, style: str, *, currency: str = "") -> str:
    """Format a table cell by the name of its style, the same names that charts use for their axes.

    Styles: text, count, decimal, ratio (two places), money (whole), price (to the cent), percent, day, short, month.
    Raises ValueError for any other.
    """
    if value is None:
        return NO_VALUE
    if style == "text":
        return str(value)
    if style in _LATIN_DATES and isinstance(value, date):
        return day(value, style)
    if not isinstance(value, int | float | Decimal):
        raise ValueError(f"a {style} cell cannot show {type(value).__name__}")
    match style:
        case "count":
            return count(value)
        case "decimal":
            return decimal(value)
        case "ratio":
            return decimal(value, 2)
        case "money":
            return money(value, currency, places=0)
        case "price":
            return money(value, currency)
        case "percent":
            return percent(value)
    raise ValueError(f"no cell style {style!r}")
