"""Keeping the lists that one comes back to."""

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patron.kernel.clock import now as present
from patron.kernel.errors import InvalidInput
from patron.kernel.ui.pages import PageRequest, page
from patron.touchpoints.workspace import customer_list
from patron.touchpoints.workspace.operations import delete_view, save_view

PAGES = {customer_list.PAGE: "customer-list"}
"""The pages whose views can be kept, by the name under which they are."""


def _address(request: PageRequest) -> str:
    name = request.POST.get("page", "")
    if name not in PAGES:
        raise InvalidInput(details={"field": "page"})
    return reverse(PAGES[name])


@page(permission="workspace.use")
@require_POST
def save(request: PageRequest) -> HttpResponseBase:
    """Keep what is shown now under a name, and show it under that name."""
    address = _address(request)
    view = save_view(
        page=request.POST["page"],
        name=request.POST.get("name", ""),
        query=request.POST.get("query", ""),
        actor=request.actor,
        now=present(),
    )
    messages.success(request, _("The view “%(name)s” is kept.") % {"name": view.name})
    return HttpResponseRedirect(f"{address}?{view.query}" if view.query else address)


@page(permission="workspace.use")
@require_POST
def delete(request: PageRequest, view_id: int) -> HttpResponseBase:
    """Forget a view of one's own."""
    address = _address(request)
    delete_view(view_id=view_id, actor=request.actor, now=present())
    messages.success(request, _("The view is deleted."))
    return HttpResponseRedirect(address)
