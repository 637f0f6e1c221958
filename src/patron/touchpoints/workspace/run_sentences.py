"""What a run says of itself, in the reader's language: by what it was judged, against what, and what to keep in mind.

Analyses and models write English sentences with their figures in them. `SENTENCES` holds those sentences with places
for the figures; a sentence that fits one of them is told in the reader's language, any other stays English and is
marked so. A new sentence of an analysis needs a line here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Final, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from patron.kernel.ui import formats
from patron.touchpoints.workspace.metric_words import VALUES, measured
from patron.touchpoints.workspace.model_words import TITLES

#: By what a run is judged: the analysis's own name of it, and words for people.
PROOFS: Final[Mapping[str, Promise]] = {
    "AUC": _("Pairs of customers in the right order (AUC)"),
    "Share of baskets with the left side that held the right one, last %(days)s days, best rules": _(
        "Baskets with the first that held the second, the best rules, last %(days)s days"
    ),
    "share of the variance of the next 13 weeks' spending that the group tells": _(
        "How much of the next 13 weeks' spending the group tells"
    ),
    "Hold-out error per customer (root mean square, purchases)": _("Typical error per customer, in visits"),
    "width of the interval on spend, with what was known before ÷ without": _(
        "Width of the range for spend, with what was known before ÷ without"
    ),
    "Error of a week's sales, by branch": _("Error of a week's sales, by branch"),
    "Error of a week's sales": _("Error of a week's sales"),
    "Share of the best tenth who became VIPs": _("Of the best tenth, those who became VIPs"),
    "Area under the curve on held-out customers": _("Pairs of customers in the right order (AUC)"),
    "Area under the curve on held-out members": _("Pairs of members in the right order (AUC)"),
    "Error of the next visit in days": _("Error of the next visit, in days"),
    "Share of offers of new products that were bought": _("Offers of new products that were bought"),
    "Log loss on the test day, mean of the questions": _("Loss of the chances on the test day (log loss)"),
    "Share of visits with A that B followed within 14 days, last %(days)s days, best rules": _(
        "Visits with the first that the second followed within 14 days, the best rules, last %(days)s days"
    ),
    "Share of the best fifth that climbed": _("Of the best fifth, those who climbed"),
    "share of alarms after which the customer spent less than half": _(
        "Alarms after which the customer spent less than half"
    ),
    "Brier score of returns within %(days)s days": _(
        "Squared error of the chances to come back within %(days)s days (Brier)"
    ),
}

SENTENCES: Final = (
    # what the baseline is
    gettext_noop("The baseline is the share of all baskets of those days with the right side."),
    gettext_noop("The baseline calls those first who have been silent for longest (%(rule)s)."),
    gettext_noop(
        "Groups were made of every other customer as of %(day)s, and asked about the others; the baseline is "
        "everybody's average, which tells nothing."
    ),
    gettext_noop("The baseline is the better of two rules without a model: %(rule)s."),
    gettext_noop("Both on the same splits of customers who were treated alike."),
    gettext_noop("The baseline repeats the last week; %(count)s past dates were foretold."),
    gettext_noop("The baseline is the share of all who were no VIPs half a year ago."),
    gettext_noop("The baseline is chance."),
    gettext_noop("Chance is a half."),
    gettext_noop("The baseline is the share of all waiting newcomers who came, however long they had waited."),
    gettext_noop("The baseline is the best of three rules: own, last and everybody's gap."),
    gettext_noop("The baseline offers everybody the most popular products they do not have."),
    gettext_noop("The baseline gives everybody the share of all."),
    gettext_noop("The baseline is the share of all visits of those days that B followed."),
    gettext_noop("The baseline is the share of all who could climb."),
    gettext_noop("Baseline: customers silent for 30 to 57 days, on the same days."),
    # what to keep in mind
    gettext_noop(
        "The groups run into each other (silhouette %(found)s, below %(least)s): take their borders as a convention."
    ),
    gettext_noop(
        "The groups are not stable (agreement %(found)s when customers are drawn again, below %(least)s): try fewer "
        "groups."
    ),
    gettext_noop("Movement and proof need %(days)s days of purchases before the last %(last)s; there are %(there)s."),
    gettext_noop("13 weeks ago there were %(days)s days of history: visits were drawn out to a year for the movement."),
    gettext_noop("The data do not settle %(symbols)s: read the forecast as a rough guide."),
    gettext_noop("Customers who came back: %(count)s. Estimates from fewer than %(few)s say little."),
    gettext_noop("No repeat purchase has an amount above zero: the mean amount of all purchases stands in."),
    gettext_noop("Days left out because more was brought back than bought: %(count)s."),
    gettext_noop("No back-test: the time seen is too short for the hold-out, or nobody came back before it."),
    gettext_noop("The window is %(from)s to %(to)s, the last %(days)s whole days of the data."),
    gettext_noop(
        "The %(days)s days up to %(to)s hold less than a third of usual sales and look incomplete; the forecast starts "
        "after %(day)s."
    ),
    gettext_noop(
        "Public holidays of %(country)s are used: they lower the error of the past (%(with)s with, %(without)s "
        "without)."
    ),
    gettext_noop(
        "Public holidays of %(country)s are not used: they do not lower the error of the past (%(with)s with, "
        "%(without)s without)."
    ),
    gettext_noop("%(days)s days are too few for an honest back-test; %(needed)s would do for one."),
    gettext_noop("The total is %(used)s (error %(error)s; %(other)s %(worse)s); the parts are scaled to add up to it."),
    gettext_noop("Cost is known for %(share)s of the money; the rest is taken to earn %(margin)s."),
    gettext_noop(
        "The cost to serve counts what the log holds, at the prices of the settings: purchases %(purchases)s, returns "
        "%(returns)s, messages %(messages)s, calls %(calls)s, visits %(visits)s, cases %(cases)s, gifts %(gifts)s."
    ),
    gettext_noop(
        "The data are whole until %(day)s; later days have hardly any purchases, and nobody is judged by them."
    ),
    gettext_noop("What an action brings is assumed until campaigns with control groups have measured it."),
    gettext_noop("What a contact saves and costs is assumed until campaigns with control groups have measured it."),
    gettext_noop("No cost of goods is known: sales stand for gross profit, so stakes are too high."),
    gettext_noop("No consent is on file: every channel is taken to be allowed. Ask before you contact."),
    gettext_noop(
        "Days of birth never leave the database: a birthday shows by the voucher that the programme gave for it."
    ),
    gettext_noop("Addresses are known as they are today; who moved shows by a main branch that changed for good."),
    gettext_noop(
        "The %(days)s days up to %(to)s hold less than a third of usual sales and look incomplete; loyalty is measured "
        "as of %(day)s."
    ),
    gettext_noop("The season of the year needs two years of data; there are %(weeks)s weeks."),
    gettext_noop("What moves everybody cannot be told from fewer than 30 customers; firmness leaves it out."),
    gettext_noop("The forecast of visits is not back-tested: that needs sixteen weeks of data."),
    gettext_noop("Learned from a random sample of %(sample)s of %(rows)s rows."),
    gettext_noop("The methods were compared on %(sample)s of %(customers)s customers, spread evenly over all."),
    gettext_noop(
        "Leaving within %(days)s days needs %(needed)s days of history to learn and to test; there are %(there)s. "
        "Wait, bring in earlier purchases, or choose a shorter horizon_days."
    ),
    gettext_noop(
        "To learn, at least %(least)s must have left and %(least)s stayed in each period; %(left)s left and %(stayed)s "
        "stayed in training, %(left_2)s left and %(stayed_2)s stayed in validation, %(left_3)s left and %(stayed_3)s "
        "stayed in test. Everybody is given the share that left before."
    ),
    gettext_noop(
        "Left out as a leak: %(features)s. Alone it tells leavers apart with an AUC of %(auc)s or more, which "
        "behaviour before the day cannot; look at where the figure comes from."
    ),
    gettext_noop("q is at most 1: spending differs so much that it has no mean; the mean amount stands in."),
    gettext_noop(
        "Frequency and amount go together (correlation %(found)s); the gamma-gamma model takes them to be independent, "
        "so values at both ends are drawn too far to the middle."
    ),
    gettext_noop("Firmness is measured without %(columns)s: the input has no such column."),
    gettext_noop(
        "Visits foretold four weeks ago missed by %(found)s, the four weeks before by %(naive)s: go by those."
    ),
    gettext_noop("The history is too short to test who became a VIP."),
    gettext_noop("The history is too short for a back-test."),
    gettext_noop("The history is too short to compare the methods."),
    gettext_noop("The history is too short to test who climbs."),
    gettext_noop("The history is too short for a back-test of who comes back."),
    gettext_noop("%(count)s newcomers have come back so far; from %(least)s on it can be told when to write."),
    gettext_noop("No kind of voucher has been used often enough to learn from."),
    # why there is no answer
    gettext_noop("It waits for results of: %(analyses)s."),
    gettext_noop(
        "Baskets need sales of identified customers whose products have categories (category_1 to category_3); there "
        "are none in the last year."
    ),
    gettext_noop("A budget needs customers who have bought: there are none yet."),
    gettext_noop("Churn needs purchases of identified customers; there are none yet."),
    gettext_noop("Groups need %(least)s customers with a purchase in the last year; there are %(there)s."),
    gettext_noop("Lifetime value needs customers who bought on a second day: there are none yet."),
    gettext_noop("A contact plan needs customers with a forecast of their value: there are none yet."),
    gettext_noop("Nobody with anything at stake has a contact on file and allows one: ask for both first."),
    gettext_noop("To see drift takes %(needed)s days of purchases; there are %(there)s so far."),
    gettext_noop("Planning needs %(least)s customers who bought before %(day)s; there are %(there)s."),
    gettext_noop("Planning needs purchases of identified customers; there are none yet."),
    gettext_noop("Planning needs %(needed)s days of purchases; there are %(there)s so far."),
    gettext_noop("There are no sales yet; a forecast needs at least two weeks of them."),
    gettext_noop("There are %(days)s days of sales up to %(day)s; a forecast needs at least 14."),
    gettext_noop("Look-alikes need customers with purchases: there are none yet."),
    gettext_noop("There are no purchases of known customers yet; loyalty needs some months of them."),
    gettext_noop("The next visit needs customers who have come at least once: there are none yet."),
    gettext_noop("Next products need product types that at least %(least)s customers bought: there are none yet."),
    gettext_noop(
        "A response model needs a test: issue a voucher to some members and let them use it. None has been issued."
    ),
    gettext_noop(
        "A newcomer is somebody whose first purchase lies at least %(days)s days after the data begin: before that, "
        "old customers look new. The data hold %(there)s days and no such purchase yet."
    ),
)

#: Sentences of runs whose pages say as much in words of their own.
SAID_BY_PAGES: Final = frozenset({
    "The window is %(from)s to %(to)s, the last %(days)s whole days of the data.",
    "Public holidays of %(country)s are used: they lower the error of the past (%(with)s with, %(without)s without).",
    ("Public holidays of %(country)s are not used: they do not lower the error of the past (%(with)s with, "
     "%(without)s without)."),
    "Cost is known for %(share)s of the money; the rest is taken to earn %(margin)s.",
    "The data are whole until %(day)s; later days have hardly any purchases, and nobody is judged by them.",
    "What an action brings is assumed until campaigns with control groups have measured it.",
    "What a contact saves and costs is assumed until campaigns with control groups have measured it.",
    "Days of birth never leave the database: a birthday shows by the voucher that the programme gave for it.",
    "The season of the year needs two years of data; there are %(weeks)s weeks.",
    "No kind of voucher has been used often enough to learn from.",
})  # fmt: skip


class Judged(Protocol):
    """A run as the register keeps it."""

    @property
    def why(self) -> str: ...
    @property
    def metric(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def baseline(self) -> float | None: ...
    @property
    def higher_is_better(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence; `language` is "en" where it could not be told in the reader's. `template` is how the run says it."""

    text: str
    language: str = ""
    template: str = field(default="", compare=False)


def told(sentence: str) -> Told:
    """One sentence of a run, in the reader's language where it is known."""
    for pattern, template in _patterns(SENTENCES):
        if found := pattern.fullmatch(sentence):
            return Told(gettext(template) % _places(found), template=template)
    return Told(sentence, "en")


def notes(sentences: Iterable[str]) -> list[Told]:
    """What to keep in mind, sentence by sentence."""
    return [told(sentence) for sentence in sentences if sentence]


def page_notes(sentences: Iterable[str]) -> list[Told]:
    """What a page adds to its own explanation: the notes of the run that it does not give anyway."""
    return [each for each in notes(sentences) if each.template not in SAID_BY_PAGES]


def proof_name(metric: str) -> Told:
    """By what a run was judged."""
    for pattern, template in _patterns(tuple(PROOFS)):
        if found := pattern.fullmatch(metric):
            return Told(str(PROOFS[template]) % _places(found))
    return Told(metric, "en" if metric else "")


def reasons(run: Judged) -> list[Told]:
    """Why a run is in use or not: the comparison with its baseline and what that is, or what it lacked."""
    compared = re.match(r".* is (?:at least as good as|worse than) the baseline's [^ ]+\. ?", run.why)
    if compared is None or run.value is None or run.baseline is None:
        return notes([run.why])
    better = run.value >= run.baseline if run.higher_is_better else run.value <= run.baseline
    words = (
        _("%(metric)s: %(value)s, with the baseline %(baseline)s. It did at least as well.")
        if better
        else _("%(metric)s: %(value)s, with the baseline %(baseline)s. It did worse.")
    )
    name = proof_name(run.metric)
    figures = {"metric": name.text, "value": measured(run.value), "baseline": measured(run.baseline)}
    return [Told(str(words) % figures, name.language), *notes([run.why[compared.end() :]])]


@cache
def _patterns(templates: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Each sentence with its places as a pattern."""
    made = []
    for template in templates:
        seen: set[str] = set()
        pieces = re.split(r"%\((\w+)\)s", template.replace("%%", "%"))
        pattern = "".join(
            re.escape(piece) if place % 2 == 0 else _group(piece, seen) for place, piece in enumerate(pieces)
        )
        made.append((re.compile(pattern), template))
    return tuple(made)


def _group(name: str, seen: set[str]) -> str:
    """The pattern of a place; where a sentence names it again, it says the same."""
    if name in seen:
        return f"(?P=_{name})"
    seen.add(name)
    return f"(?P<_{name}>.+?)"  # the underscore: a word of Python's own, such as `from`, is no name of a group


def _places(found: re.Match[str]) -> dict[str, str]:
    return {name[1:]: _written(name[1:], text) for name, text in found.groupdict().items()}


def _written(name: str, text: str) -> str:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return formats.day(date.fromisoformat(text))
    if name == "analyses":
        return gettext(", ").join(str(TITLES.get(each, each)) for each in text.split(", "))
    return str(VALUES.get(text, text))
