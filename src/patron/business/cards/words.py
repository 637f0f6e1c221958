"""The words, numbers and days on a card's face, in the member's language. Pure: a card is not a page.

A face is rendered by jobs, tills and phones' wallets, where no reader's language is set; so its few words stand here
in all three languages, and are chosen by the member's.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

LANGUAGES = ("en", "zh-hant", "zh-hans")

WORDS: Mapping[str, tuple[str, str, str]] = {
    "name": ("Member", "會員", "会员"),
    "tier": ("Tier", "等級", "等级"),
    "balance": ("Points", "積分", "积分"),
    "expiring": ("Expiring soon", "即將到期", "即将到期"),
    "stored_value": ("Stored value", "儲值", "储值"),
    "vouchers": ("Vouchers", "優惠券", "优惠券"),
    "valid_thru": ("Valid thru", "有效期至", "有效期至"),
    "joined": ("Member since", "入會日期", "入会日期"),
    "number": ("Card no.", "卡號", "卡号"),
    "message": ("For you", "給您", "给您"),
    "until": ("{points} by {day}", "{day}前 {points} 分", "{day}前 {points} 分"),
    "nothing_expires": ("None", "沒有", "没有"),
    "owed": ("Points owed", "欠積分", "欠积分"),
    "blocked": ("No longer valid", "此卡已失效", "此卡已失效"),
    "earned": ("Points earned", "本次積分", "本次积分"),
    "before": ("Points before", "原有積分", "原有积分"),
    "used": ("Points used", "已用積分", "已用积分"),
    "after": ("Points now", "現有積分", "现有积分"),
    "slip": ("Your points", "您的積分", "您的积分"),
}

SYMBOLS = {"HKD": "HK$", "CNY": "¥", "TWD": "NT$", "USD": "US$", "MOP": "MOP$", "EUR": "€", "GBP": "£", "JPY": "JP¥"}


def language_of(code: str, *, house: str = "en") -> str:
    """The language of LANGUAGES that comes nearest to `code` (`zh-HK` is Traditional), the house's for none."""
    asked = code.strip().lower().replace("_", "-")
    if asked in LANGUAGES:
        return asked
    if asked.startswith("zh"):
        return "zh-hans" if asked.endswith(("-cn", "-sg", "hans")) else "zh-hant"
    if asked.startswith("en"):
        return "en"
    return language_of(house) if house and house.strip().lower() != asked else "en"


def word(key: str, language: str) -> str:
    """One of WORDS."""
    return WORDS[key][LANGUAGES.index(language)]


def number(value: Decimal) -> str:
    """`12,430`; with two decimals where there are any: `15.50`."""
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"


def money(value: Decimal, currency: str) -> str:
    """`HK$150.00`."""
    places = 0 if currency == "JPY" else 2
    return f"{SYMBOLS.get(currency, f'{currency} ')}{value:,.{places}f}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(value: date, language: str) -> str:
    """`31 Dec 2026`, `2026年12月31日`."""
    if language == "en":
        return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
    return f"{value.year}年{value.month}月{value.day}日"


def month(value: date, language: str) -> str:
    """`Dec 2026`, `2026年12月`."""
    return f"{_MONTHS[value.month - 1]} {value.year}" if language == "en" else f"{value.year}年{value.month}月"
