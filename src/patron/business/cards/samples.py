"""A member to show a design on: nobody, but with something to say at every place. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from patron.business.cards.designs import Occasion
from patron.business.cards.rules import CardFacts

SAMPLE_NAMES: Mapping[str, str] = {"en": "Chan Tai-man", "zh-hant": "陳大文", "zh-hans": "陈大文"}


def sample_facts(
    *,
    programme: str,
    language: str,
    on: date,
    currency: str,
    prefix: str = "8800",
    tier: str = "",
    tier_name: str = "",
    occasion: Occasion = "default",
) -> CardFacts:
    """The member of a preview, for whom `occasion` applies."""
    expires_on = on + timedelta(days=10 if occasion == "expiring" else 364)
    return CardFacts(
        on=on,
        number=f"{prefix}{'0' * (12 - len(prefix))}1234",
        name=SAMPLE_NAMES[language],
        language=language,
        programme=programme,
        joined_on=on - timedelta(days=1000),
        currency=currency,
        available=Decimal(3420),
        expiring=Decimal(200),
        expires_on=expires_on,
        stored_value=Decimal(150),
        vouchers=2,
        tier=tier,
        tier_name=tier_name or {"en": "Gold", "zh-hant": "金卡", "zh-hans": "金卡"}[language],
        next_tier={"en": "Diamond", "zh-hant": "鑽石卡", "zh-hans": "钻石卡"}[language],
        missing_amount=Decimal(1) if occasion == "near_tier" else None,
        valid_thru=on + timedelta(days=200),
        birth_on=on.replace(year=1990, day=min(on.day, 28)) if occasion == "birthday" else None,
    )
