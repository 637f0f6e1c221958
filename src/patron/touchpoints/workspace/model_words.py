"""The models and their parameters in the reader's language; the models themselves speak English only."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TITLES: dict[str, str | Promise] = {
    "value": _("Customer value"),
    "lifecycle": _("Life cycle"),
}

PARAMETERS: dict[str, dict[str, str | Promise]] = {
    "value": {
        "window_days": _("Days that count, up to today (0: all time)"),
        "by": _("Ranked by sales (revenue) or gross profit (profit)"),
        "class_a_share": _("Class A: the fewest customers with this share"),
        "class_b_share": _("Class B: the next ones, up to this share"),
        "vip_share": _("VIPs: this share of customers, from the top"),
    },
    "lifecycle": {
        "new_days": _("New: first purchase at most this many days ago"),
        "new_max_visits": _("New: on at most this many days"),
        "mature_min_visits": _("Mature: at least this many days with a purchase"),
        "mature_min_days": _("Mature: first purchase at least this many days ago"),
        "declining_gaps": _("Declining: silent for longer than this many usual gaps"),
        "declining_min_days": _("Declining: never before this many days of silence"),
        "lost_gaps": _("Lost: silent for longer than this many usual gaps"),
        "lost_min_days": _("Lost: never before this many days of silence"),
        "lost_max_days": _("Lost: always after this many days of silence"),
        "reactivated_days": _("Reactivated: for this many days after coming back"),
        "trend_gaps": _("Trend: compare periods of this many usual gaps"),
        "trend_min_days": _("Trend: periods of at least this many days"),
        "trend_max_days": _("Trend: periods of at most this many days"),
        "trend_min_visits": _("Trend: at least this many visits in the earlier period"),
        "trend_fall": _("Declining: spending or visits fell by more than this share"),
        "rhythm_gaps": _("Rhythm: how many of the last gaps count"),
        "prior_gaps": _("Rhythm: the gap usual among all customers weighs this many gaps"),
        "fallback_gap_days": _("Rhythm: usual gap in days while nobody has come twice"),
    },
}


def title_of(model: str, otherwise: str) -> str:
    """The model's name for people."""
    return str(TITLES.get(model, otherwise))


def label_of(model: str, parameter: str, otherwise: str) -> str:
    """What a parameter means; a parameter that this page does not know is explained by the model itself."""
    return str(PARAMETERS.get(model, {}).get(parameter, otherwise))
