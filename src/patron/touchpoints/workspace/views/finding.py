"""Finding customers by the search box of the top bar, and registering somebody new."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from patron.core.accounts.queries import get_visible_branches
from patron.core.customers import operations
from patron.core.customers.queries.identifying import identify_customer
from patron.core.customers.queries.insights import stages_of
from patron.core.customers.queries.names import get_named_customers
from patron.core.customers.search import Found, search_customers
from patron.kernel.actor import Actor
from patron.kernel.clock import now as present
from patron.kernel.errors import Conflict, InvalidInput, NotFound
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.forms import customers as forms

SUGGESTIONS = 8
RESULTS = 50
LONGEST_QUERY = 100


@page(permission="customers.view", nav="customer-list")
def search(request: PageRequest) -> HttpResponseBase:
    """What the search box finds; the one whose number, phone or card was typed is opened at once."""
    text = request.GET.get("q", "")[:LONGEST_QUERY].strip()
    found = search_customers(text, actor=request.actor, limit=RESULTS) if text else []
    exact = [hit for hit in found if hit.exact]
    if len(exact) == 1 and len(found) == 1:
        return HttpResponseRedirect(reverse("customer", args=[exact[0].number]))
    context = {
        "query": text,
        "hits": _hits(found, request.actor),
        "is_cut": len(found) == RESULTS,
        "register_url": _register_url(text) if request.actor.can("customers.register") else "",
    }
    return show(request, "workspace/pages/search.html", context, fragment="hits")


def _register_url(text: str) -> str:
    """The form for somebody new, with what was searched for already in it."""
    is_phone = not any(character.isalpha() for character in text)
    return f"{reverse('customer-register')}?{urlencode({'phone' if is_phone else 'name': text})}"


@page(permission="customers.view", nav="customer-list")
def suggest(request: PageRequest) -> HttpResponseBase:
    """The list under the search box, as one types."""
    text = request.GET.get("q", "")[:LONGEST_QUERY].strip()
    found = search_customers(text, actor=request.actor, limit=SUGGESTIONS) if text else []
    return show(request, "workspace/partials/suggestions.html", {"query": text, "hits": _hits(found, request.actor)})


def _hits(found: list[Found], actor: Actor) -> list[dict[str, Any]]:
    """What was found, with branch, phone (masked where it must be) and stage: two queries more, for any number."""
    if not found:
        return []
    ids = [hit.id for hit in found]
    names, stages = get_named_customers(ids, actor), stages_of(ids)
    return [
        {
            "number": hit.number,
            "name": hit.name or hit.number,
            "latin_name": hit.latin_name,
            "status": hit.status,
            "vip": hit.vip,
            "value_class": hit.value_class,
            "stage": stages.get(hit.id, ""),
            "phone": names[hit.id].phone if hit.id in names else "",
            "branch": names[hit.id].home_branch if hit.id in names else "",
        }
        for hit in found
    ]


@page(permission="customers.register", nav="customer-register")
def register(request: PageRequest) -> HttpResponseBase:
    """Put somebody on file. Somebody with the same phone is shown first, and registered all the same if told so."""
    branches = [(branch.pk, branch.name) for branch in get_visible_branches(request.actor)]
    if request.method != "POST":
        initial = {"name": request.GET.get("name", ""), "phone": request.GET.get("phone", "")}
        return _registering(request, forms.RegisterForm(initial=initial, branches=branches))
    form = forms.RegisterForm(request.POST, branches=branches)
    if not form.is_valid():
        return _registering(request, form, status=422)
    given = form.cleaned_data
    known = _known_by_phone(given["phone"], request.actor)
    if known and "anyway" not in request.POST:
        return _registering(request, form, known=known, status=409)
    now = present()
    chosen = {branch.pk: branch for branch in get_visible_branches(request.actor)}.get(given.get("branch") or 0)
    try:
        customer = operations.register_customer(
            name=given["name"],
            phone=given["phone"],
            language=given["language"],
            home_branch=chosen,
            source="workspace",
            actor=request.actor,
            now=now,
        )
    except InvalidInput as error:
        forms.refuse(form, error)
        return _registering(request, form, status=422)
    if given["allows_sms"]:
        operations.record_consent(
            customer,
            purpose="marketing",
            channel="sms",
            granted=True,
            source="front desk",
            actor=request.actor,
            now=now,
        )
    messages.success(request, _("%(name)s is on file.") % {"name": customer.name or customer.number})
    return HttpResponseRedirect(reverse("customer", args=[customer.number]))


def _registering(
    request: PageRequest, form: forms.RegisterForm, *, known: list[dict[str, str]] | None = None, status: int = 200
) -> HttpResponseBase:
    context = {"form": form, "known": known or ()}
    return show(request, "workspace/pages/customer_register.html", context, status=status)


def _known_by_phone(phone: str, actor: Actor) -> list[dict[str, str]]:
    """Who has this phone number already: name, number, and an address where the actor may open it."""
    if not phone.strip():
        return []
    try:
        customer = identify_customer(phone, actor=actor)
    except NotFound:
        return []
    except Conflict as error:
        numbers = error.details.get("numbers")
        return [{"name": str(number), "number": str(number)} for number in numbers] if isinstance(numbers, list) else []
    return [{"name": customer.name or customer.number, "number": customer.number}]
