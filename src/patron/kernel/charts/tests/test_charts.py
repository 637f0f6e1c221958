"""What the builders put into an option, on values."""

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.kernel import charts
from patron.kernel.charts import palette
from patron.kernel.charts.shares import customers_at, revenue_at

CSS = Path(palette.__file__).parents[1] / "static" / "patron" / "css" / "tokens.css"
JAVASCRIPT = Path(palette.__file__).parents[1] / "static" / "patron" / "js" / "formats.js"
SALES, MEMBERS = charts.Series("Sales", "money"), charts.Series("Members", "count")
CURVE = [charts.LorenzPoint(0.1, 0.5), charts.LorenzPoint(0.5, 0.9), charts.LorenzPoint(1.0, 1.0)]


def strings(value):
    if isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, str):
        yield value


def every_chart():
    weeks = [
        charts.Period(date(2026, 11, 2), Decimal("100.50"), 10, Decimal(90), "/w"),
        charts.Period(date(2026, 11, 9), 120),
    ]
    nodes = [
        charts.Node("a", "New", 0, charts.colour("stage", "new")),
        charts.Node("b", "Lost", 1, charts.colour("stage", "lost")),
    ]
    return {
        "bars": charts.bars_and_line(weeks, bars=SALES, line=MEMBERS, currency="HKD"),
        "lorenz": charts.lorenz(CURVE),
        "sankey": charts.sankey(nodes, [charts.Flow("a", "b", 7)], counted="Customers"),
        "area": charts.stacked_area([date(2026, 10, 1)], [charts.Band("New", charts.colour("stage", "new"), (5,))]),
        "rhythm": charts.rhythm(
            [charts.Visit(date(2026, 11, 1), Decimal(80))], as_of=date(2026, 11, 9), usual_days=(5, 7)
        ),
        "histogram": charts.histogram(
            [charts.Bin(0, 10, 3), charts.Bin(10, None, 1)], measure=SALES, counted="Customers"
        ),
        "curves": charts.curves(
            [
                charts.Curve("Seen", [(1, 2.0), (2, 4.0)]),
                charts.Curve("Expected", [(1, 2.5), (2, None)], low=[(1, 2.0)], high=[(1, 3.0)], dashed=True),
            ],
            x=charts.Series("Week", "count"),
            y=charts.Series("Purchases", "decimal"),
        ),
        "curves over days": charts.curves(
            [charts.Curve("Sales", [(date(2026, 11, 2), 5)])], x=charts.Days("Day"), y=SALES, currency="HKD"
        ),
        "scatter": charts.scatter(
            [charts.Dot("Gold", 3, 0.5, size=0.5, url="/gold")],
            x=MEMBERS,
            y=charts.Series("Share", "percent"),
            heading="Group",
            reading="Gold is far out.",
        ),
        "heatmap": charts.heatmap(
            {("milk", "bread"): 3.2},
            rows=["milk"],
            columns=["bread"],
            measure=charts.Series("Lift", "ratio"),
            headings=("Has", "Also"),
            reading="Milk goes with bread.",
        ),
        "network": charts.network(
            [charts.Spot("m", "milk"), charts.Spot("b", "bread"), charts.Spot("x", "alone")],
            [charts.Tie("m", "b", 3.2)],
            measure=charts.Series("Lift", "ratio"),
            headings=("Has", "Also"),
            reading="Milk goes with bread.",
        ),
        "tree": charts.tree(
            charts.Branch("All", "100 customers", children=[charts.Branch("visits ≥ 12", "40: VIP")]),
            headings=("If", "Then"),
            reading="Twelve visits make a VIP.",
        ),
        "ranking": charts.horizontal_bars([charts.RankedBar("Mong Kok", 5)], measure=MEMBERS, heading="Branch"),
    }


@pytest.mark.parametrize("name", list(every_chart()))
def test_option_is_plain_data_with_colours_and_formats_that_exist(name):
    option = json.loads(json.dumps(every_chart()[name].option))

    css = CSS.read_text(encoding="utf-8")
    formats = set(re.findall(r"^  \"?([\w-]+)\"?: \(", JAVASCRIPT.read_text(encoding="utf-8"), re.MULTILINE))
    for text in strings(option):
        if text.startswith("var("):
            assert f"  {text[4:-1]}: light-dark(" in css
        if text.startswith("format:"):
            assert text.split(":")[1] in formats
    assert option["tooltip"]["renderMode"] == "richText"
    assert option["animation"] is False


@pytest.mark.parametrize("family", list(palette.NAMES))
def test_every_named_colour_is_defined_for_light_and_dark(family):
    css = CSS.read_text(encoding="utf-8")
    for name in palette.NAMES[family]:
        assert re.search(rf"--patron-{family}-{name}: light-dark\(#\w+, #\w+\);", css), name


def test_colours_of_the_stages_differ_in_both_themes():
    css = CSS.read_text(encoding="utf-8")
    pairs = re.findall(r"--patron-stage-\w+: light-dark\((#\w+), (#\w+)\)", css)
    assert len(pairs) == 6
    assert len({light for light, _ in pairs}) == len({dark for _, dark in pairs}) == 6


def test_colour_of_an_unknown_name_is_refused():
    with pytest.raises(LookupError, match="no stage colour 'asleep'"):
        charts.colour("stage", "asleep")


def test_tier_colour_goes_by_metal_then_by_rank():
    assert charts.tier_colour(0, "Gold") == "var(--patron-tier-gold)"
    assert charts.tier_colour(1, "sapphire") == "var(--patron-tier-silver)"
    assert charts.tier_colour(99) == "var(--patron-tier-diamond)"


def test_bars_and_line_dims_last_year_and_gives_the_line_its_own_axis():
    chart = every_chart()["bars"]

    last_year, sales, members = chart.option["series"]
    assert last_year["data"] == [90.0, None]
    assert last_year["itemStyle"]["color"] == "var(--patron-ink-dimmed)"
    assert sales["data"] == [{"value": 100.5, "url": "/w"}, {"value": 120}]
    assert members["data"] == [10, None]
    assert members["yAxisIndex"] == 1
    assert chart.option["xAxis"]["data"] == ["2026-11-02", "2026-11-09"]
    assert chart.table.rows[0] == (date(2026, 11, 2), Decimal("100.50"), Decimal(90), 10)


def test_bars_without_last_year_or_line_have_one_series_and_one_axis():
    chart = charts.bars_and_line([charts.Period(date(2026, 11, 2), 5)], bars=MEMBERS)

    assert [s["name"] for s in chart.option["series"]] == ["Members"]
    assert len(chart.option["yAxis"]) == 1
    assert [c.label for c in chart.table.columns] == ["Week from", "Members"]


def test_trend_reading_compares_with_the_period_before_and_last_year():
    periods = [
        charts.Period(date(2026, 11, 2), Decimal(200)),
        charts.Period(date(2026, 11, 9), Decimal(210), last_year=Decimal(300)),
    ]

    reading = charts.trend_reading(periods, bars=SALES, currency="HKD")

    assert reading == "Sales: HK$210, +5.0\xa0% on the period before, −30.0\xa0% on last year."


def test_trend_reading_makes_no_comparison_with_nothing():
    assert charts.trend_reading([charts.Period(date(2026, 11, 9), 3)], bars=MEMBERS) == "Members: 3."
    assert charts.trend_reading([], bars=MEMBERS) == "Nothing to show yet."


def test_lorenz_reads_the_curve_between_its_points():
    assert revenue_at(CURVE, 0.2) == pytest.approx(0.6)
    assert customers_at(CURVE, 0.8) == pytest.approx(0.4)
    assert customers_at(CURVE, 0.25) == pytest.approx(0.05)


def test_lorenz_starts_at_the_origin_and_marks_the_twenty_percent():
    chart = every_chart()["lorenz"]

    curve = chart.option["series"][0]
    assert curve["data"] == [[0.0, 0.0], [0.1, 0.5], [0.5, 0.9], [1.0, 1.0]]
    assert curve["markPoint"]["data"] == [{"coord": [0.2, 0.6]}]
    assert chart.reading == (
        "The best 20\xa0% of customers bring 60.0\xa0% of sales; 80\xa0% of sales come from 40.0\xa0% of customers."
    )
    assert (0.2, pytest.approx(0.6)) in chart.table.rows


@given(st.lists(st.decimals(min_value=0, max_value=10_000, places=2), min_size=1, max_size=60).filter(any))
def test_lorenz_of_any_sales_stays_between_equality_and_one(amounts):
    ranked = sorted(amounts, reverse=True)
    total, running, curve = sum(ranked), Decimal(), []
    for i, amount in enumerate(ranked, start=1):
        running += amount
        curve.append(charts.LorenzPoint(i / len(ranked), float(running / total)))

    for share in (0.05, 0.2, 0.5, 0.99):
        assert share - 1e-9 <= revenue_at(curve, share) <= 1.0 + 1e-9
        assert customers_at(curve, revenue_at(curve, share)) <= share + 1e-9


def test_empty_charts_say_so_and_draw_nothing():
    for chart in (
        charts.lorenz([]),
        charts.rhythm([], as_of=date(2026, 1, 1)),
        charts.histogram([], measure=SALES, counted="x"),
    ):
        assert chart.empty
        assert chart.reading in {"Nothing to show yet.", "No visit yet."}


def test_sankey_leaves_out_empty_flows_and_unused_nodes():
    nodes = [
        charts.Node(k, k.upper(), side, charts.colour("series", "1")) for k, side in (("a", 0), ("b", 1), ("c", 1))
    ]

    chart = charts.sankey(nodes, [charts.Flow("a", "b", 9, "/ab"), charts.Flow("a", "c", 0)], counted="Customers")

    series = chart.option["series"][0]
    assert [n["name"] for n in series["data"]] == ["a", "b"]
    assert series["links"] == [{"source": "a", "target": "b", "value": 9, "text": "A → B", "url": "/ab"}]
    assert chart.reading == "The largest move: 9 from A to B."


def test_sankey_of_what_stayed_says_that_nothing_moved():
    nodes = [charts.Node("l", "Mature", 0, "x"), charts.Node("r", "Mature", 1, "x")]
    assert charts.sankey(nodes, [charts.Flow("l", "r", 4)], counted="Customers").reading == "Nothing moved."


def test_sankey_with_a_flow_to_nowhere_is_refused():
    with pytest.raises(ValueError, match="unknown nodes: z"):
        charts.sankey([charts.Node("a", "A", 0, "x")], [charts.Flow("a", "z", 1)], counted="Customers")


def test_stacked_area_wants_a_value_for_each_month():
    with pytest.raises(ValueError, match="band 'New' has 2 values for 1 months"):
        charts.stacked_area([date(2026, 1, 1)], [charts.Band("New", "x", (1, 2))])


def test_stacked_area_reading_names_the_band_that_moved_most():
    months = [date(2026, 10, 1), date(2026, 11, 1)]
    bands = [charts.Band("New", "x", (100, 130)), charts.Band("Mature", "x", (1300, 1200))]

    chart = charts.stacked_area(months, bands)

    assert chart.reading == "1,330 in Nov 2026; Mature changed most, from 1,300 to 1,200."
    assert chart.table.rows == ((months[0], 100, 1300), (months[1], 130, 1200))


def test_rhythm_bands_the_days_in_which_the_next_visit_was_due():
    visits = [charts.Visit(date(2026, 11, 1), Decimal(100)), charts.Visit(date(2026, 10, 25), Decimal(25), "/p/1")]

    chart = charts.rhythm(visits, as_of=date(2026, 11, 20), usual_days=(5, 7))

    series = chart.option["series"][0]
    assert [d["value"] for d in series["data"]] == [["2026-10-25", 0, 25.0], ["2026-11-01", 0, 100.0]]
    assert [d["symbolSize"] for d in series["data"]] == [9.0, 18.0]
    assert series["data"][0]["url"] == "/p/1"
    assert series["markArea"]["data"] == [[{"xAxis": "2026-11-06"}, {"xAxis": "2026-11-09"}]]
    assert series["markLine"]["data"] == [{"xAxis": "2026-11-20"}]
    assert chart.reading == "Usually comes every 5 to 7 days; the last visit was 19 days ago."


def test_rhythm_of_too_few_visits_has_no_band():
    chart = charts.rhythm([charts.Visit(date(2026, 11, 1), Decimal(1))], as_of=date(2026, 11, 2))

    assert "markArea" not in chart.option["series"][0]
    assert chart.reading == "Last came 1 day ago."


def test_histogram_writes_ranges_and_shares():
    bins = [charts.Bin(0, 500, 60, "/low"), charts.Bin(500, None, 40)]

    chart = charts.histogram(bins, measure=SALES, counted="Customers", currency="HKD")

    assert chart.option["xAxis"]["data"] == ["0–500", "500 and more"]
    assert chart.table.rows == (("HK$0–HK$500", 60, 0.6), ("HK$500 and more", 40, 0.4))
    assert chart.reading == "Most fall in HK$0–HK$500: 60 of 100 (60.0\xa0%)."


def test_horizontal_bars_keep_their_order_and_colours():
    rows = [charts.RankedBar("A", 3, "/a", "var(--patron-class-a)"), charts.RankedBar("B", 5)]

    chart = charts.horizontal_bars(rows, measure=MEMBERS, heading="Branch")

    assert chart.option["yAxis"]["data"] == ["A", "B"]
    assert chart.option["yAxis"]["inverse"] is True
    assert chart.option["series"][0]["data"] == [
        {"value": 3, "url": "/a", "itemStyle": {"color": "var(--patron-class-a)"}},
        {"value": 5},
    ]
    assert chart.reading == "B leads with 5."


def test_a_band_is_an_unseen_line_and_the_difference_stacked_upon_it():
    option = every_chart()["curves"].option
    low, width = (series["data"] for series in option["series"] if series.get("stack"))
    assert (low, width) == ([[1, 2.0]], [[1, 1.0]])
    assert every_chart()["curves"].table.rows == ((1, 2.0, 2.5, 2.0, 3.0), (2, 4.0, None, None, None))


def test_a_band_with_other_places_than_below_is_refused():
    with pytest.raises(ValueError, match="the band of 'Odd'"):
        charts.curves([charts.Curve("Odd", [(1, 1)], low=[(1, 0)], high=[(2, 2)])], x=MEMBERS, y=MEMBERS)


def test_a_network_leaves_out_what_is_tied_to_nothing():
    chart = every_chart()["network"]
    assert [spot["name"] for spot in chart.option["series"][0]["data"]] == ["m", "b"]
    assert chart.table.rows == (("milk", "bread", 3.2),)
    with pytest.raises(ValueError, match="unknown things: z"):
        charts.network([], [charts.Tie("z", "z", 1)], measure=MEMBERS, headings=("a", "b"), reading="")
