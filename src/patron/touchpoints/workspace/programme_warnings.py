"""What is wrong or odd about a draft, in the reader's language. The rules themselves speak English only."""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.business.loyalty.rules.sanity import Oddity
from patron.kernel.ui import formats
from patron.touchpoints.workspace.programme_words import number

REFUSALS: tuple[tuple[str, str | Promise], ...] = (
    (r"this is not a number", gettext_lazy("This is not a number.")),
    (
        r"this must lie between (?P<least>\S+) and (?P<most>\S+), with at most (?P<places>\d+) decimals",
        gettext_lazy("This must lie between %(least)s and %(most)s, with at most %(places)s decimals."),
    ),
    (
        r"this is a whole number from (?P<least>\d+) to (?P<most>\d+)",
        gettext_lazy("This is a whole number from %(least)s to %(most)s."),
    ),
    (r"this is needed", gettext_lazy("This is needed.")),
    (r"choose one of: .*", gettext_lazy("Choose one of those listed.")),
    (r"this is a text of at most (?P<most>\d+) characters", gettext_lazy("At most %(most)s characters.")),
    (r"a bonus needs a code of its own", gettext_lazy("A bonus needs a code of its own.")),
    (r"an event needs a code of its own", gettext_lazy("An event needs a code of its own.")),
    (r"a tier needs a code and a name", gettext_lazy("A tier needs a code and a name.")),
    (r"multiplying by 1 gives nothing.*", gettext_lazy("Multiplying by 1 gives nothing. Choose more: 2 is double.")),
    (r"say how many points this gives", gettext_lazy("Say how many points this gives.")),
    (
        r"only points can be multiplied.*",
        gettext_lazy("Only points can be multiplied. Give stamps by item, by amount or once."),
    ),
    (r"there is no tier called (?P<name>.*)", gettext_lazy("There is no tier with the code %(name)s any more.")),
    (r"codes that begin with tier: belong to the tiers", gettext_lazy("Codes that begin with “tier:” are taken.")),
    (r"each tier asks for more than the one before it", gettext_lazy("Each tier asks for more than the one below it.")),
    (r"the tier (?P<name>.*) is there twice", gettext_lazy("The tier %(name)s is there twice.")),
    (r"(?P<name>.*) is there twice: each needs a code of its own", gettext_lazy("%(name)s is there twice.")),
    (r"the last day comes before the first", gettext_lazy("The last day comes before the first.")),
    (r"write a day as .*", gettext_lazy("This is not a day or an hour.")),
    (r"weekdays are numbers .*", gettext_lazy("Choose weekdays from those listed.")),
    (r"this is a list of .*", gettext_lazy("Choose from those listed.")),
    (r"this is a group of settings", gettext_lazy("This part of the draft cannot be read. Remove it.")),
    (r"there is no such setting", gettext_lazy("The draft holds a setting that is not known. Remove this part.")),
)


def refusal_words(message: str) -> str:
    """What the rules refuse, for people; words that this page does not know stand as they are."""
    for pattern, words in REFUSALS:
        if found := re.fullmatch(pattern, message):
            return str(words) % found.groupdict()
    return message


def oddity_words(oddity: Oddity, currency: str) -> str:
    """What to think about before publishing."""
    values = {
        "name": oddity.name,
        "other": oddity.other,
        "share": formats.percent(oddity.share, 0),
        "worth": formats.money(oddity.worth, currency),
        "minimum": formats.money(oddity.minimum, currency),
        "factor": number(oddity.factor),
        "day": formats.day(oddity.day),
        "days": formats.count(oddity.days),
    }
    match oddity.code:
        case "generous" if not oddity.name:
            return _("The points are worth %(share)s of what is paid.") % values
        case "generous":
            return _("With “%(name)s”, points are worth %(share)s of what is paid.") % values
        case "above_basket" if not oddity.minimum:
            return _("“%(name)s” gives %(worth)s worth of points for any purchase, however small.") % values
        case "above_basket":
            return _("“%(name)s” gives %(worth)s worth of points for a purchase of %(minimum)s.") % values
        case "multiply_together":
            return _("“%(name)s” and “%(other)s” can meet: together they give %(factor)s × points.") % values
        case "ended":
            return _("“%(name)s” ended on %(day)s: it gives nothing any more.") % values
        case _:
            return _("Some points expire before they become available, %(days)s days after the purchase.") % values
