"""Sample data of the style guide: every shared part and chart once, with believable values."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms

from patron.kernel import charts
from patron.kernel.clock import today
from patron.kernel.ui.badges import STAGE_LABELS

WEEKLY = (71.2, 69.8, 74.1, 77.6, 73.9, 70.4, 76.2, 79.9, 81.4, 78.3, 80.7, 77.9, 81.2)
MEMBERS = (1310, 1288, 1331, 1352, 1340, 1301, 1344, 1377, 1391, 1368, 1390, 1387, 1402)
STAGE_COUNTS = {"new": 112, "developing": 340, "mature": 1380, "declining": 291, "lost": 640, "reactivated": 53}
MOVES = {
    ("new", "developing"): 37,
    ("new", "new"): 75,
    ("developing", "developing"): 260,
    ("developing", "mature"): 61,
    ("developing", "declining"): 19,
    ("mature", "mature"): 1290,
    ("mature", "declining"): 90,
    ("declining", "mature"): 38,
    ("declining", "declining"): 195,
    ("declining", "lost"): 58,
    ("lost", "lost"): 609,
    ("lost", "reactivated"): 31,
    ("reactivated", "mature"): 22,
    ("reactivated", "lost"): 12,
}
GAPS = (6, 5, 7, 6, 6, 8, 5, 6, 7, 6, 5, 6, 6, 7, 5, 6)


class PermitForm(forms.Form):
    """A form with one field of each kind."""

    name = forms.CharField(label="Name", help_text="Family name first.", max_length=40)
    phone = forms.CharField(label="Phone", initial="6123 4567")
    branch = forms.ChoiceField(label="Branch", choices=[("330", "Mong Kok"), ("343", "Sha Tin")])
    note = forms.CharField(label="Note for the front desk", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    birthday = forms.DateField(label="Birthday", widget=forms.DateInput(attrs={"type": "date"}), required=False)
    agreed = forms.BooleanField(label="May be sent offers by SMS", required=False)


def _lorenz() -> list[charts.LorenzPoint]:
    return [charts.LorenzPoint(i / 100, 1 - (1 - i / 100) ** 3.55) for i in range(1, 101)]


def _months(day: date) -> list[date]:
    return [date(day.year - (day.month <= back), (day.month - back - 1) % 12 + 1, 1) for back in range(11, -1, -1)]


def _charts(day: date) -> dict[str, charts.Chart]:
    monday = day - timedelta(days=day.weekday())
    weeks = [
        charts.Period(
            start=monday - timedelta(weeks=12 - i),
            value=Decimal(str(value)) * 1000,
            line=MEMBERS[i],
            last_year=Decimal(str(value)) * Decimal(930 + 11 * (i % 5)),
            url="#week",
        )
        for i, value in enumerate(WEEKLY)
    ]
    nodes = [
        charts.Node(f"{stage}-{side}", str(label), side, charts.colour("stage", stage))
        for side in (0, 1)
        for stage, label in STAGE_LABELS.items()
    ]
    bands = [
        charts.Band(
            str(STAGE_LABELS[stage]),
            charts.colour("stage", stage),
            tuple(round(total * (0.8 + 0.018 * i + 0.02 * ((i * len(stage)) % 5))) for i in range(12)),
        )
        for stage, total in STAGE_COUNTS.items()
        if stage != "lost"
    ]
    last = day - timedelta(days=19)
    days = [last]
    for gap in GAPS:
        days.append(days[-1] - timedelta(days=gap))
    return {
        "trend": charts.bars_and_line(
            weeks, bars=charts.Series("Sales", "money"), line=charts.Series("Members active", "count"), currency="HKD"
        ),
        "lorenz": charts.lorenz(_lorenz()),
        "sankey": charts.sankey(
            nodes,
            [charts.Flow(f"{a}-0", f"{b}-1", value, "#flow") for (a, b), value in MOVES.items()],
            counted="Customers",
        ),
        "area": charts.stacked_area(_months(day), bands),
        "rhythm": charts.rhythm(
            [charts.Visit(on, Decimal(120 + 67 * (i % 6)), "#visit") for i, on in enumerate(days)],
            as_of=day,
            usual_days=(5, 7),
            currency="HKD",
        ),
        "histogram": charts.histogram(
            [
                charts.Bin(low, low + 250 if low < 1750 else None, n)
                for low, n in zip(range(0, 2000, 250), (310, 640, 590, 402, 244, 130, 84, 69), strict=True)
            ],
            measure=charts.Series("Spent in a month", "money"),
            counted="Customers",
            currency="HKD",
        ),
        "ranking": charts.horizontal_bars(
            [
                charts.RankedBar("Mong Kok 旺角", Decimal(812_400)),
                charts.RankedBar("Sha Tin 沙田", Decimal(655_210)),
                charts.RankedBar("Tsuen Wan 荃灣", Decimal(590_030)),
                charts.RankedBar("Causeway Bay 銅鑼灣", Decimal(421_800)),
            ],
            measure=charts.Series("Sales", "money"),
            heading="Branch",
            currency="HKD",
        ),
    }


def samples(now: datetime) -> dict[str, Any]:
    """The style guide's context, dated from `now`."""
    day = today(now)
    people = [
        ("王美玲", "mature", "A", "Gold", 12_430, 0.0041, 58, 19),
        ("陳大文", "declining", "A", "Gold", 11_208, 0.0037, 41, 33),
        ("Chan Siu Ming", "developing", "B", "Silver", 6_310, 0.0021, 22, 4),
        ("李嘉欣", "new", "C", "Member", 840, 0.0003, 2, 9),
        ("Wong Ka Yan", "reactivated", "B", "Silver", 4_902, 0.0016, 17, 1),
    ]
    return {
        "now": now,
        "today": day,
        "charts": _charts(day),
        "rows": [
            {
                "name": name,
                "stage": stage,
                "value_class": value_class,
                "tier": tier,
                "rank": {"Member": 0, "Silver": 1, "Gold": 2}[tier],
                "vip": tier == "Gold",
                "sales": Decimal(sales),
                "share": share,
                "visits": visits,
                "last": day - timedelta(days=ago),
            }
            for name, stage, value_class, tier, sales, share, visits, ago in people
        ],
        "stages": list(STAGE_LABELS),
        "crumbs": [{"label": "Insight", "url": "#"}],
        "tabs": [
            {"label": "Everyone", "url": "#all", "count": 2469, "current": True},
            {"label": "Gold", "url": "#gold", "count": 494},
            {"label": "Birthdays", "url": "#birthdays"},
        ],
        "chips": [
            {"label": "Gold members", "url": "#", "removes": True},
            {"label": "in Kowloon", "url": "#", "removes": True},
            {"label": "not come for 30 days", "url": "#", "removes": True},
        ],
        "facts": [
            {"label": "Last 12 months", "value": "HK$12,430"},
            {"label": "Visits", "value": "58"},
            {"label": "Since", "value": "2019"},
            {"label": "Prefers", "value": "Cantonese, SMS, mornings"},
        ],
    }
