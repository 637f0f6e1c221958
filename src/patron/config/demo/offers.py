"""What members of the demo company can get beside points: vouchers, gifts with pictures, bonus on deposits."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from PIL import Image, ImageDraw

from patron.business.storedvalue.rules import Policy, Tier
from patron.business.vouchers.operations import Issue, Limits
from patron.config.demo.programme import COFFEE, GOLD, PLATINUM

NEW_CARD, BIRTHDAY, WELCOME, CASH, FREE_COFFEE, WORD = (
    "new-card", "birthday", "gold-welcome", "cash-50", "coffee", "patron10",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of voucher; `price` in points where it is bought with them."""

    code: str
    name: str
    terms: Mapping[str, Any]
    limits: Limits = field(default_factory=Limits)
    on: str = "manual"
    tiers: tuple[str, ...] = ()
    days_before: int = 0
    price: Decimal | None = None

    @property
    def issue(self) -> Issue:
        return Issue(on=self.on, tiers=self.tiers, days_before=self.days_before, points_price=self.price)


VOUCHERS = (
    Offer(
        NEW_CARD, "新卡三日禮券 New card: 20 off", {"kind": "amount", "value": "20", "minimum_spend": "100"},
        Limits(valid_days=3), on="enrolment",
    ),
    Offer(
        BIRTHDAY, "生日九折券 Birthday: 10% off", {"kind": "percent", "value": "10", "most": "50"},
        Limits(valid_days=30), on="birthday", days_before=7,
    ),
    Offer(
        WELCOME, "金卡迎新券 Gold: 50 off", {"kind": "amount", "value": "50", "minimum_spend": "300"},
        Limits(valid_days=60), on="tier", tiers=(GOLD,),
    ),
    Offer(
        CASH, "現金券五十元 Cash voucher 50",
        {"kind": "amount", "value": "50", "partial_use": True, "transferable": True},
        Limits(valid_days=365, stock=500), on="points", price=Decimal(5000),
    ),
    Offer(
        FREE_COFFEE, "免費咖啡 A coffee for nothing",
        {"kind": "product", "value": "1", "products": {"categories": list(COFFEE)}, "most": "60"},
        Limits(valid_days=45, budget=Decimal(20000)),
    ),
    Offer(
        WORD, "街坊優惠 Neighbours: 10% off",
        {"kind": "percent", "value": "10", "most": "30", "uses": 500, "member_limit": 1, "combinable": False},
        Limits(valid_days=90),
    ),
)  # fmt: skip

STORED_VALUE = Policy(
    is_offered=True,
    min_deposit=Decimal(100),
    max_deposit=Decimal(5000),
    max_balance=Decimal(10000),
    max_per_day=Decimal(3000),
    secret_above=Decimal(1000),
    bonus_months=12,
    withdrawals_allowed=True,
)
DEPOSIT_BONUS = (
    Tier(Decimal(500), Decimal(5)),
    Tier(Decimal(1000), Decimal(8)),
    Tier(Decimal(2000), Decimal(10)),
)


@dataclass(frozen=True, slots=True)
class Present:
    """A gift of the catalogue; `shape` and `colour` are those of its picture."""

    code: str
    name: str
    chinese: str
    simplified: str
    points: int
    money: int = 0
    tiers: tuple[str, ...] = ()
    limit: int | None = None
    sent: bool = False
    shape: str = "disc"
    colour: str = "#0f766e"


GIFTS = (
    Present("TOTE", "Canvas tote bag", "帆布袋", "帆布袋", 500, shape="bag", colour="#c08457"),
    Present("UMBRELLA", "Folding umbrella", "縮骨遮", "折叠伞", 800, shape="umbrella", colour="#2563eb"),
    Present("MUG", "Patron mug", "貴客陶瓷杯", "贵客陶瓷杯", 600, shape="mug", colour="#b45309"),
    Present("TEA", "Jasmine tea tin", "茉莉花茶罐", "茉莉花茶罐", 1000, shape="tin", colour="#15803d"),
    Present("TOWEL", "Bath towel", "大浴巾", "大浴巾", 1500, sent=True, shape="tin", colour="#be185d"),
    Present("WOK", "Carbon steel wok", "鐵鑊", "铁锅", 2500, 50, sent=True, limit=1, shape="disc", colour="#334155"),
    Present(
        "STEAMER", "Bamboo steamer", "竹蒸籠", "竹蒸笼", 1800, tiers=(GOLD, PLATINUM), shape="disc", colour="#a16207"
    ),
    Present(
        "DINNER", "Dinner for two", "雙人晚餐", "双人晚餐", 6000, tiers=(PLATINUM,), limit=2, shape="disc",
        colour="#7c3aed",
    ),
)  # fmt: skip
SIDE = 480


def picture_of(gift: Present) -> bytes:
    """A plain picture of a gift as PNG: its shape in its colour."""
    image = Image.new("RGB", (SIDE, SIDE), "#f4f1ea")
    draw = ImageDraw.Draw(image)
    dark = tuple(channel * 7 // 10 for channel in Image.new("RGB", (1, 1), gift.colour).tobytes())
    match gift.shape:
        case "bag":
            draw.arc((165, 70, 315, 260), 180, 360, fill=dark, width=18)
            draw.rounded_rectangle((110, 165, 370, 410), 18, fill=gift.colour)
        case "umbrella":
            draw.pieslice((60, 80, 420, 440), 180, 360, fill=gift.colour)
            draw.line((240, 250, 240, 400), fill=dark, width=14)
            draw.arc((240, 370, 300, 430), 0, 180, fill=dark, width=14)
        case "mug":
            draw.arc((290, 190, 400, 330), 270, 90, fill=dark, width=26)
            draw.rounded_rectangle((120, 140, 320, 380), 26, fill=gift.colour)
        case "tin":
            draw.rounded_rectangle((140, 120, 340, 400), 20, fill=gift.colour)
            draw.rounded_rectangle((130, 90, 350, 150), 16, fill=dark)
        case _:
            draw.ellipse((80, 80, 400, 400), fill=gift.colour)
            for step in range(12):
                angle = step * math.pi / 6
                x, y = 240 + 120 * math.cos(angle), 240 + 120 * math.sin(angle)
                draw.ellipse((x - 9, y - 9, x + 9, y + 9), fill=dark)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
