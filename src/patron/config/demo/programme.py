"""The demo company's loyalty programme: the terms its history was earned under, and those in force today."""

from collections.abc import Mapping
from typing import Any

CODE, NAME = "club", "貴客會 Patron Club"

SILVER, GOLD, PLATINUM, PATRON = "silver", "gold", "platinum", "patron"

DAIRY = ("GROCERY > FLUID MILK PRODUCTS", "GROCERY > CHEESE", "GROCERY > YOGURT", "GROCERY > MILK BY-PRODUCTS")
COFFEE = ("GROCERY > COFFEE", "RESTAURANT > COFFEE SHOP", "NUTRITION > DRY TEA/COFFEE/COCO MIX")

_BASE: Mapping[str, Any] = {
    "base": {"points": "1", "per_amount": "1"},
    "expiry": {"kind": "month_end", "n": 24},
}


def _ladder(*, multiplied: bool) -> dict[str, Any]:
    """Tiers by what was spent in the last twelve months. `multiplied`: whether points grow with the tier."""
    rungs: list[dict[str, Any]] = [
        {
            "code": SILVER, "name": "銀卡 Silver", "threshold": "1000", "colour": "#8a94a6",
            "benefits": [{"kind": "voucher", "name": "生日禮券 Birthday voucher", "refers_to": "birthday"}],
        },
        {
            "code": GOLD, "name": "金卡 Gold", "threshold": "2500", "colour": "#b8860b",
            "benefits": [
                {"kind": "voucher", "name": "迎新禮券 Welcome voucher", "refers_to": "gold-welcome"},
                {"kind": "waived_fee", "name": "免送貨費 Free delivery"},
            ],
        },
        {
            "code": PLATINUM, "name": "白金卡 Platinum", "threshold": "5000", "colour": "#475569",
            "benefits": [
                {"kind": "waived_fee", "name": "免送貨費 Free delivery"},
                {"kind": "service", "name": "專人熱線 Personal hotline"},
            ],
        },
        {
            "code": PATRON, "name": "貴客 Patron", "invitation_only": True, "colour": "#0f766e",
            "benefits": [{"kind": "service", "name": "私人購物顧問 Personal shopper"}],
        },
    ]  # fmt: skip
    if multiplied:
        for rung, multiplier in zip(rungs, ("1.1", "1.25", "1.5", "2"), strict=True):
            rung["multiplier"] = multiplier
    return {"measure": "spend", "window": "rolling", "months": 12, "grace_days": 14, "soft_landing": True,
            "ladder": rungs}  # fmt: skip


OPENING: Mapping[str, Any] = {**_BASE, "tiers": _ladder(multiplied=False)}
"""One point for each whole dollar, and nothing else: what the imported year was earned under."""

CURRENT: Mapping[str, Any] = {
    **_BASE,
    "tiers": _ladder(multiplied=True),
    "bonuses": [
        {
            "code": "dairy-tuesday", "name": "星期二乳品雙倍 Dairy Tuesday", "effect": "multiply", "factor": "2",
            "categories": list(DAIRY), "weekdays": [2],
        },
        {
            "code": "birthday", "name": "生日月雙倍 Birthday month", "effect": "multiply", "factor": "2",
            "birthday": "month", "cap": {"purchase": "500"},
        },
        {
            "code": "first-purchase", "name": "首次購物 First purchase", "effect": "fixed", "points": "50",
            "first_purchase": True,
        },
        {
            "code": "fifth-visit", "name": "每五次到訪 Every fifth visit", "effect": "fixed", "points": "20",
            "every_nth_visit": 5, "minimum": "50",
        },
        {
            "code": "coffee", "name": "咖啡印花 Coffee stamps", "effect": "per_item", "points": "1", "unit": "stamps",
            "categories": list(COFFEE), "cap": {"purchase": "10"},
        },
    ],
    "events": [
        {"code": "referral", "name": "推薦朋友 Friend referred", "points": "200", "once": "always"},
        {"code": "profile", "name": "完成個人資料 Profile completed", "points": "50", "once": "ever"},
        {"code": "survey", "name": "顧客意見 Survey answered", "points": "20", "once": "day"},
        {"code": "check-in", "name": "手機簽到 Checked in", "points": "2", "once": "day"},
    ],
    "cap": {"purchase": "10000", "day": "20000"},
    "paying": {"points": "100", "amount": "1", "least": "500", "most_share": "50"},
}  # fmt: skip
"""What counts from the day on which the demo is loaded."""
