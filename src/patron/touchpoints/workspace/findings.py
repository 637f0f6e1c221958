"""The customers whom an analysis gave a label: how many there are of each, and the list of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from patron.core.customers.queries.insights import customers_labelled, label_counts
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound, PermissionRefused
from patron.touchpoints.workspace.analyses.contract import AnalysisPage, Words
from patron.touchpoints.workspace.analyses.registry import pages
from patron.touchpoints.workspace.selections import MOST_CUSTOMERS, PARAMETER, Selected


@dataclass(frozen=True, slots=True)
class Labelled:
    """How many visible customers have a label, and where they are listed."""

    label: Words
    customers: int
    url: str


def labelled(page: AnalysisPage, actor: Actor) -> Sequence[Labelled]:
    """The labels of a page's analysis that anybody has, in the page's order; none for who may not see customers."""
    if not page.labels or not actor.can("customers.view"):
        return ()
    counts = label_counts(page.shows, actor)
    return [Labelled(words, counts[key], list_url(page, key)) for key, words in page.labels.items() if counts.get(key)]


def list_url(page: AnalysisPage, label: str) -> str:
    """The list of the customers with that label."""
    return f"{reverse('customer-list')}?{urlencode({PARAMETER: 'finding', 'analysis': page.name, 'found': label})}"


def select(query: Mapping[str, str], actor: Actor) -> Selected:
    """The customers with one label, the highest score first. Raises NotFound for a label that there is not."""
    page, label = pages().get(query.get("analysis", "")), query.get("found", "")
    if page is None or not page.labels or label not in page.labels:
        raise NotFound(_("There is no such list of customers."))
    if not actor.can(page.permission):
        raise PermissionRefused(details={"permission": page.permission})
    return Selected(
        customer_ids=customers_labelled(page.shows, label, limit=MOST_CUSTOMERS),
        sentence=_("%(page)s: %(label)s") % {"page": page.title, "label": page.labels[label]},
        back_url=reverse("analysis", args=[page.name]),
        back_label=str(page.title),
    )
