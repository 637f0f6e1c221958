"""The template tags, the icons, and the files that pages load."""

import re
from pathlib import Path

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from patron.kernel import charts
from patron.kernel.ui import assets, badges, icons


def render(source, path="/", **context):
    request = RequestFactory().get(path)
    with translation.override("en"):
        return Template("{% load ui %}" + source).render(Context({"request": request, **context}))


def test_icon_is_hidden_from_screen_readers_unless_it_has_a_name():
    assert 'aria-hidden="true"' in icons.icon("home")
    named = icons.icon("home", 'the "house"')
    assert 'role="img" aria-label="the &quot;house&quot;"' in named
    assert "M5 12l-2 0l9 -9l9 9l-2 0" in named


@pytest.mark.parametrize("name", ["no-such-icon", "../../etc/passwd", ""])
def test_icon_that_does_not_exist_is_refused(name):
    with pytest.raises(LookupError):
        icons.icon(name)


def test_filters_write_values():
    assert render('{{ 12430|money:"HKD" }} {{ 0.5|percent:0 }} {{ 9|signed }}') == "HK$12,430.00 50\xa0% +9"


@pytest.mark.parametrize(
    ("value", "better", "css", "words"),
    [(0.042, "up", "is-up", "up"), (-0.1, "up", "is-down", "down"), (-0.1, "down", "is-up", "down")],
)
def test_change_is_coloured_by_whether_it_is_good_and_said_in_words(value, better, css, words):
    html = render("{{ value|change:better }}", value=value, better=better)

    assert f'class="change {css}"' in html
    assert f'<span class="visually-hidden">{words}</span>' in html


def test_change_of_nothing_shows_nothing():
    assert render("{{ value|change }}", value=None) == ""
    assert "is-" not in render("{{ value|change }}", value=0)


def test_badges_use_the_fixed_colours_and_escape_names():
    assert str(badges.stage_badge("mature")) == '<span class="pill pill-stage-mature">Mature</span>'
    assert badges.stage_badge("") == ""
    assert "pill-tier-gold" in badges.tier_badge("<Gold>", code="gold")
    assert "&lt;Gold&gt;" in badges.tier_badge("<Gold>", code="gold")
    with pytest.raises(LookupError):
        badges.badge("x", "purple")


def test_sort_header_turns_the_order_round_keeps_filters_and_starts_paging_over():
    first = render('{% sort_header "sales" "Sales" numeric=True %}', "/?tier=gold&after=50")
    again = render('{% sort_header "sales" "Sales" numeric=True %}', "/?tier=gold&sort=-sales")

    assert 'href="?tier=gold&amp;sort=-sales"' in first
    assert "aria-sort" not in first
    assert 'href="?tier=gold&amp;sort=sales"' in again
    assert 'aria-sort="descending"' in again


def test_share_bar_stays_within_its_box():
    assert 'width="50.0%"' in render("{% share_bar 1 2 %}")
    assert 'width="100.0%"' in render("{% share_bar 5 2 %}")
    assert 'width="0.0%"' in render("{% share_bar 5 0 %}")


class Form(forms.Form):
    name = forms.CharField(help_text="Family name first.")


def test_field_ties_label_help_and_errors_to_the_control():
    html = render("{% field form.name %}", form=Form({"name": ""}))

    assert '<label for="id_name">Name</label>' in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_name-help id_name-errors"' in html
    assert "<li>This field is required.</li>" in html


def test_chart_part_holds_picture_reading_table_and_option_as_data():
    chart = charts.horizontal_bars(
        [charts.RankedBar("</script><b>", 5, "/x")], measure=charts.Series("Sales"), heading="Branch"
    )

    html = render('{% chart chart "Branches" key="b" %}', chart=chart)

    assert 'role="img" aria-label="Branches: &lt;/script&gt;&lt;b&gt; leads with 5."' in html
    assert '<script data-chart-target="option" type="application/json">' in html
    assert "</script><b>" not in html
    assert '<td class="num">5</td>' in html


def test_empty_chart_draws_no_picture():
    html = render('{% chart chart "Who" %}', chart=charts.lorenz([]))

    assert "Nothing to show yet." in html
    assert "chart-picture" not in html


def test_again_renders_the_block_a_second_time():
    with translation.override("en"):
        from django.template.loader import get_template

        html = get_template("404.html").render({})
    assert html.count("There is nothing here") == 2


def test_finder_offers_exactly_the_vendor_files():
    finder = assets.NodePartsFinder()

    listed = {path: storage.path(path) for path, storage in finder.list(None)}

    assert set(listed) == set(assets.VENDOR_FILES)
    assert all(Path(path).is_file() for path in listed.values())
    assert finder.find("vendor/htmx/htmx.min.js") == listed["vendor/htmx/htmx.min.js"]
    assert finder.find("vendor/htmx/other.js") == []
    assert finder.check() == []


def test_finder_says_what_to_do_when_parts_are_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATRON_NODE_MODULES", str(tmp_path))
    assets.node_modules.cache_clear()
    try:
        (error,) = assets.NodePartsFinder().check()
    finally:
        assets.node_modules.cache_clear()

    assert "npm ci" in error.hint


def test_every_import_of_our_modules_is_one_that_hashing_rewrites():
    folder = Path(assets.__file__).parents[1] / "static" / "patron" / "js"
    pattern = re.compile(assets.HashedStaticFiles.patterns[1][1][0][0])
    for path in folder.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert len(pattern.findall(text)) == len(re.findall(r"^import\b", text, re.MULTILINE)), path.name


def test_node_parts_name_no_registry():
    lock = (assets.node_modules().parent / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
