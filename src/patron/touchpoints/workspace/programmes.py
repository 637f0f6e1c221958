"""The programme that a page of the loyalty section is about: the only one, or the one chosen."""

from dataclasses import dataclass

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from patron.business.loyalty.models import Programme
from patron.business.loyalty.queries import list_programmes
from patron.kernel.errors import NotFound
from patron.kernel.ui.pages import PageRequest, show


@dataclass(frozen=True, slots=True)
class Choice:
    """The programme, and the tabs to choose another (none where there is one programme)."""

    programme: Programme
    tabs: list[dict[str, object]]


def chosen_programme(request: PageRequest) -> Choice | None:
    """The programme that the address names (`?programme=`), else the first; None before one is set up."""
    programmes = list_programmes()
    if not programmes:
        return None
    code = request.GET.get("programme", "")
    chosen = next((each for each in programmes if each.code == code), None if code else programmes[0])
    if chosen is None:
        raise NotFound(_("There is no programme of this code."), details={"programme": code})
    tabs: list[dict[str, object]] = []
    if len(programmes) > 1:
        for each in programmes:
            query = request.GET.copy()
            query["programme"] = each.code
            tabs.append({"label": each.name, "url": f"?{query.urlencode()}", "current": each is chosen})
    return Choice(chosen, tabs)


def no_programme(request: PageRequest, title: str) -> HttpResponseBase:
    """The page of someone who comes before a programme is set up."""
    return show(request, "workspace/pages/loyalty_none.html", {"page_title": title})
