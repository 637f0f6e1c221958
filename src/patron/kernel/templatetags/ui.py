"""Template tags of every page: `{% load ui %}`.

Filters write values for people (`{{ sales|money:"HKD" }}`); block tags wrap content in a shared part
(`{% panel title %}…{% endpanel %}`); the others draw one shared part each.
"""

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, FileInput, RadioSelect, Select
from django.template.context import Context
from django.template.loader import get_template
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from patron.kernel.charts import Chart
from patron.kernel.money import Money
from patron.kernel.ui import badges, formats, icons

register = template.Library()

Number = int | float | Decimal


# --- values -----------------------------------------------------------------------------------------------------------


@register.filter
def money(value: Money | Number | None, currency: str = "") -> str:
    """`{{ amount|money:"HKD" }}` or `{{ a_money|money }}`: HK$1,234.50."""
    return formats.money(value, currency)


@register.filter
def whole_money(value: Money | Number | None, currency: str = "") -> str:
    """Money without cents, as answers and cards want it: HK$1,235."""
    return formats.money(value, currency, places=0)


@register.filter
def count(value: Number | None) -> str:
    """A number of things: 12,430."""
    return formats.count(value)


@register.filter
def signed(value: Number | None) -> str:
    """A change in a number of things: +9, −7."""
    return formats.signed_count(value)


@register.filter
def fixed(value: Number | None, places: int = 1) -> str:
    """A measured number with fixed places: 1.77."""
    return formats.decimal(value, places)


@register.filter
def percent(value: Number | None, places: int = 1) -> str:
    """A share of one: 0.546 is 54.6 %."""
    return formats.percent(value, places)


@register.filter
def day(value: date | None, style: str = "day") -> str:
    """A calendar day; styles full, day, short, month."""
    return formats.day(value, style)


@register.filter
def instant(value: datetime | None, zone: tzinfo | None = None) -> str:
    """An instant in the active zone, or in `zone`."""
    return formats.instant(value, zone)


@register.filter
def since(value: date | None, as_of: date) -> str:
    """`{{ last_visit|since:as_of }}`: 19 days ago."""
    return formats.since(value, as_of)


@register.filter
def change(value: Number | None, better: str = "up") -> str:
    """A relative change with an arrow, coloured by whether it is good. `better` is up or down."""
    if value is None:
        return ""
    if not value:
        return format_html('<span class="change">{}</span>', formats.percent(0))
    rose = value > 0
    tone = "up" if rose == (better == "up") else "down"
    arrow, words = ("▲", gettext("up")) if rose else ("▼", gettext("down"))
    return format_html(
        '<span class="change is-{}"><span aria-hidden="true">{}</span> '
        '<span class="visually-hidden">{}</span> {}</span>',
        tone,
        arrow,
        words,
        formats.percent(value if rose else -value),
    )


# --- small parts ------------------------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, label: str = "", *, style: str = "outline", css: str = "") -> SafeString:
    """A Tabler icon; give a label when no words stand beside it."""
    return icons.icon(name, label, style=style, css=css)


@register.simple_tag
def stage_badge(stage: str) -> SafeString:
    """The badge of a life-cycle stage."""
    return badges.stage_badge(stage)


@register.simple_tag
def value_class_badge(value_class: str) -> SafeString:
    """The badge of a value class."""
    return badges.value_class_badge(value_class)


@register.simple_tag
def tier_badge(label: str, *, rank: int = 0, code: str = "", vip: bool = False) -> SafeString:
    """The badge of a loyalty tier."""
    return badges.tier_badge(label, rank=rank, code=code, vip=vip)


@register.simple_tag
def badge(label: str, tone: str = "neutral") -> SafeString:
    """A state in a word: neutral, good, warn, bad, accent or vip."""
    return badges.badge(label, tone)


@register.simple_tag
def avatar(name: str, *, large: bool = False, vip: bool = False) -> SafeString:
    """Initials in a circle; decoration beside the name itself."""
    css = f"avatar-initials{' is-large' if large else ''}{' is-vip' if vip else ''}"
    return format_html('<span class="{}" aria-hidden="true">{}</span>', css, formats.initials(name))


@register.simple_tag
def share_bar(value: Number, whole: Number = 1, *, vip: bool = False) -> SafeString:
    """A thin bar for `value` of `whole`, beside the number that it shows."""
    share = min(max(float(value) / float(whole), 0.0), 1.0) if whole else 0.0
    return format_html(
        '<svg class="share-bar{}" aria-hidden="true"><rect width="{}%" height="100%"></rect></svg>',
        " is-vip" if vip else "",
        round(share * 100, 1),
    )


# --- shared parts with a template -------------------------------------------------------------------------------------


def _part(name: str, context: Mapping[str, Any], outer: Context) -> SafeString:
    shared = {key: outer[key] for key in ("request", "csrf_token") if key in outer}
    return SafeString(get_template(f"ui/partials/{name}.html").render({**shared, **context}))


@register.simple_tag(takes_context=True)
def chart(context: Context, chart: Chart, title: str, *, key: str = "chart", heading: str = "h2") -> SafeString:
    """A chart with its title, reading and table. `key` tells several charts of one page apart."""
    rows = [
        [
            {"text": formats.by_name(value, column.style, currency=chart.currency), "numeric": column.style != "text"}
            for column, value in zip(chart.table.columns, row, strict=True)
        ]
        for row in chart.table.rows
    ]
    return _part("chart", {"chart": chart, "chart_rows": rows, "title": title, "key": key, "heading": heading}, context)


@register.simple_tag
def chart_option(chart: Chart) -> SafeString:
    """The option as a JSON block that does not run, for the chart controller."""
    plain = json_script(chart.option)
    return mark_safe(plain.replace("<script", '<script data-chart-target="option"', 1))  # noqa: S308 (escaped by json_script)


@register.simple_tag(takes_context=True)
def field(context: Context, bound: BoundField) -> SafeString:
    """A form field with label, help and its errors beside it."""
    widget = bound.field.widget
    checks = isinstance(widget, CheckboxInput)
    group = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    css = "form-check-input" if checks or group else "form-select" if isinstance(widget, Select) else "form-control"
    # Django puts the class of a group on the box around it as well, where it would shrink all to one tick.
    attributes: dict[str, Any] = {} if group else {"class": f"{css} {widget.attrs.get('class', '')}".strip()}
    described = [f"{bound.auto_id}-help"] if bound.help_text else []
    if bound.errors:
        attributes["aria-invalid"] = "true"
        described.append(f"{bound.auto_id}-errors")
    if described:
        attributes["aria-describedby"] = " ".join(described)
    control = bound.as_widget(attrs=attributes)
    if group:
        control = mark_safe(control.replace("<input ", f'<input class="{css}" '))  # noqa: S308 (the widget escaped it)
    parts = {
        "bound": bound,
        "control": control,
        "checks": checks,
        "group": group,
        "is_file": isinstance(widget, FileInput),
    }
    return _part("field", parts, context)


@register.simple_tag(takes_context=True)
def sort_header(
    context: Context, key: str, label: str, *, numeric: bool = False, parameter: str = "sort"
) -> SafeString:
    """A column heading that sorts: `?sort=key`, then `?sort=-key`. Paging starts over."""
    request = context["request"]
    now = request.GET.get(parameter, "")
    state = {key: "ascending", f"-{key}": "descending"}.get(now, "")
    query = request.GET.copy()
    for gone in ("after", "before"):
        query.pop(gone, None)
    first, second = (f"-{key}", key) if numeric else (key, f"-{key}")
    query[parameter] = second if now == first else first
    return _part(
        "sort_header", {"label": label, "numeric": numeric, "state": state, "url": f"?{query.urlencode()}"}, context
    )


@register.simple_block_tag(takes_context=True)
def panel(
    context: Context, content: str, title: str = "", *, link: str = "", link_label: str = "", heading: str = "h2"
) -> SafeString:
    """A titled box. `link` leads to the whole of what it shows a part of."""
    parts = {"content": content, "title": title, "link": link, "link_label": link_label, "heading": heading}
    return _part("panel", parts, context)


@register.simple_block_tag
def answer(content: str) -> SafeString:
    """The sentence that a page starts with; numbers in <strong>, people as links."""
    return format_html('<p class="answer">{}</p>', mark_safe(content.strip()))  # noqa: S308 (rendered template)


@register.simple_block_tag(takes_context=True)
def explanation(context: Context, content: str, title: str = "") -> SafeString:
    """How a number was computed, folded away."""
    return _part("explanation", {"content": content, "title": title}, context)


@register.simple_block_tag(takes_context=True)
def table(context: Context, content: str, label: str, *, tall: bool = False) -> SafeString:
    """Wrap a <thead> and <tbody> in a table that scrolls by itself. `label` names it; `tall` keeps its head in view."""
    return _part("table", {"content": content, "label": label, "tall": tall}, context)


@register.simple_tag(takes_context=True)
def again(context: Context, name: str) -> SafeString:
    """Render block `name` a second time, so that a page writes its title once."""
    blocks = context.render_context.get(BLOCK_CONTEXT_KEY)
    block = blocks.get_block(name) if blocks is not None else None
    if block is None:
        return SafeString()
    with context.push(block=block):
        rendered: SafeString = block.nodelist.render(context)
    return rendered
