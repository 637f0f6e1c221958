"""What the analyses say of one customer, each in a sentence with the way to its page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.urls import reverse

from patron.core.customers.models import Insight
from patron.touchpoints.workspace.analyses.contract import Finding, Words
from patron.touchpoints.workspace.analyses.registry import pages


@dataclass(frozen=True, slots=True)
class Said:
    """One line: the title and address of the page, the sentence, and the day up to which was looked."""

    title: Words
    url: str
    sentence: str
    as_of: date


def said_of(insights: Mapping[str, Insight]) -> Sequence[Said]:
    """A line for every analysis that has something to say, in the order of the pages."""
    lines = []
    for page in pages().values():
        insight = insights.get(page.shows)
        if insight is None or page.says is None:
            continue
        if sentence := _sentence(page.says, insight):
            url = reverse("analysis", args=[page.name])
            lines.append(Said(page.title, url, sentence, insight.run.as_of))
    return lines


def _sentence(says: Callable[[Finding], str], insight: Insight) -> str:
    finding = Finding(
        label=insight.label,
        score=insight.score,
        rank=insight.rank,
        reason_code=insight.reason_code,
        reason=insight.reason,
        facts=insight.facts,
        currency=settings.CURRENCY,
    )
    try:
        return says(finding)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return ""
