"""Badges: the few words that people learn to recognise by colour. Their colours are those of the charts."""

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from patron.kernel.charts.palette import tier_key
from patron.kernel.ui.icons import icon

STAGE_LABELS: dict[str, str | Promise] = {
    "new": _("New"),
    "developing": _("Developing"),
    "mature": _("Mature"),
    "declining": _("Declining"),
    "lost": pgettext_lazy("of a customer", "Lost"),
    "reactivated": _("Reactivated"),
}
VALUE_CLASS_LABELS: dict[str, str | Promise] = {
    "a": _("A class"),
    "b": _("B class"),
    "c": _("C class"),
}
TONES = ("neutral", "good", "warn", "bad", "accent", "vip")


def _pill(css: str, label: str | Promise, mark: SafeString | str = "") -> SafeString:
    return format_html('<span class="pill pill-{}">{}{}</span>', css, mark, label)


def stage_badge(stage: str) -> SafeString:
    """The badge of a life-cycle stage code; empty for no stage. Raises KeyError for an unknown one."""
    return _pill(f"stage-{stage}", STAGE_LABELS[stage]) if stage else SafeString()


def value_class_badge(value_class: str) -> SafeString:
    """The badge of value class A, B or C; empty for none. Raises KeyError for an unknown one."""
    return (
        _pill(f"class-{value_class.lower()}", VALUE_CLASS_LABELS[value_class.lower()]) if value_class else SafeString()
    )


def tier_badge(label: str, *, rank: int = 0, code: str = "", vip: bool = False) -> SafeString:
    """The badge of a loyalty tier, with the name that the programme gives it; a crown for VIPs."""
    return _pill(f"tier-{tier_key(rank, code)}", label, icon("crown", str(_("VIP")), style="outline") if vip else "")


def badge(label: str | Promise, tone: str = "neutral") -> SafeString:
    """Any other state in a word. Raises LookupError for an unknown tone."""
    if tone not in TONES:
        raise LookupError(f"no badge tone {tone!r}; there are: {', '.join(TONES)}")
    return _pill(tone, label)
