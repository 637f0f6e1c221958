"""What people send in from a customer's page. Each runs one operation and goes back to the page.

A refused form comes back with its words beside the field and status 422, the rest of the page around it.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import FileResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patron.core.activities.operations import log_contact
from patron.core.customers import operations
from patron.core.customers.queries.visible import get_visible_customer
from patron.kernel.clock import now as present
from patron.kernel.errors import InvalidInput, NotFound
from patron.kernel.ui.pages import PageRequest, page
from patron.touchpoints.workspace.customer_picture import Picture
from patron.touchpoints.workspace.forms import customers as forms
from patron.touchpoints.workspace.views.customer import render_customer


def _take(
    request: PageRequest,
    number: str,
    form: Form,
    *,
    name: str,
    tab: str,
    done: str,
    run: Callable[[Picture, dict[str, Any]], object],
) -> HttpResponseBase:
    """Run an operation on what `form` holds. `name` is the form's place on the page, `tab` where it stands."""
    picture = Picture(number, request.actor, present())
    if form.is_valid():
        try:
            run(picture, form.cleaned_data)
        except InvalidInput as error:
            forms.refuse(form, error)
        else:
            messages.success(request, done)
            return _back(number, tab)
    return render_customer(request, picture, tab=tab, bound={name: form}, status=422)


def _back(number: str, tab: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('customer', args=[number])}?tab={tab}")


@page(permission="customers.note", nav="customer-list")
@require_POST
def add_note(request: PageRequest, number: str) -> HttpResponseBase:
    """Keep a note."""
    return _take(
        request,
        number,
        forms.NoteForm(request.POST),
        name="note",
        tab="timeline",
        done=_("The note is kept."),
        run=lambda picture, given: operations.write_note(
            picture.customer,
            given["text"],
            for_front_desk=given["for_front_desk"],
            actor=request.actor,
            now=picture.now,
        ),
    )


@page(permission="customers.note", nav="customer-list")
@require_POST
def archive_note(request: PageRequest, number: str, note_id: int) -> HttpResponseBase:
    """Put a note aside."""
    picture = Picture(number, request.actor, present())
    operations.archive_note(picture.customer, note_id, actor=request.actor, now=picture.now)
    messages.success(request, _("The note is no longer shown."))
    return _back(number, "timeline")


@page(permission="activities.log", nav="customer-list")
@require_POST
def log_call(request: PageRequest, number: str) -> HttpResponseBase:
    """Log a call or a visit, with a note if something was written."""

    def run(picture: Picture, given: dict[str, Any]) -> None:
        log_contact(picture.customer, way=given["way"], outcome=given["outcome"], actor=request.actor, now=picture.now)
        if given["text"] and request.actor.can("customers.note"):
            operations.write_note(picture.customer, given["text"], actor=request.actor, now=picture.now)

    form = forms.CallForm(request.POST, auto_id="call_%s")
    return _take(request, number, form, name="call", tab="timeline", done=_("Logged."), run=run)


@page(permission="customers.unmask", nav="customer-list")
@require_POST
def unmask(request: PageRequest, number: str) -> HttpResponseBase:
    """Show contacts in clear, once: the audit trail says who looked."""
    picture = Picture(number, request.actor, present())
    clear = operations.unmask_contact(
        picture.customer, reason=request.POST.get("reason", "")[:200], actor=request.actor, now=picture.now
    )
    return render_customer(request, picture, tab=request.POST.get("tab", ""), unmasked=clear)


@page(permission="customers.edit", nav="customer-list")
@require_POST
def add_contact(request: PageRequest, number: str) -> HttpResponseBase:
    """Add a way to reach the customer."""

    def run(picture: Picture, given: dict[str, Any]) -> None:
        try:
            operations.add_contact_point(
                picture.customer,
                given["kind"],
                given["value"],
                label=given["label"],
                primary=given["primary"],
                source="workspace",
                actor=request.actor,
                now=picture.now,
            )
        except InvalidInput as error:
            raise InvalidInput(error.message, details={"field": "value"}) from error

    form = forms.ContactForm(request.POST, auto_id="contact_%s")
    return _take(request, number, form, name="contact", tab="contacts", done=_("The contact is added."), run=run)


@page(permission="customers.edit", nav="customer-list")
@require_POST
def remove_contact(request: PageRequest, number: str, contact_id: int) -> HttpResponseBase:
    """Forget a way to reach the customer."""
    picture = Picture(number, request.actor, present())
    operations.remove_contact_point(picture.customer, contact_id, actor=request.actor, now=picture.now)
    messages.success(request, _("The contact is removed."))
    return _back(number, "contacts")


@page(permission="customers.consent", nav="customer-list")
@require_POST
def record_consent(request: PageRequest, number: str) -> HttpResponseBase:
    """Record what the customer allows or refuses."""
    return _take(
        request,
        number,
        forms.ConsentForm(request.POST, auto_id="consent_%s"),
        name="consent",
        tab="contacts",
        done=_("The consent is recorded."),
        run=lambda picture, given: operations.record_consent(
            picture.customer,
            purpose=given["purpose"],
            channel=given["channel"],
            granted=given["granted"],
            source=given["source"],
            actor=request.actor,
            now=picture.now,
        ),
    )


@page(permission="customers.edit", nav="customer-list")
@require_POST
def edit_details(request: PageRequest, number: str) -> HttpResponseBase:
    """Change who the customer is."""
    masked = not request.actor.can("customers.personal")
    form = forms.DetailsForm(request.POST, masked=masked, auto_id="details_%s")
    return _take(
        request,
        number,
        form,
        name="details",
        tab="file",
        done=_("The details are changed."),
        run=lambda picture, given: operations.update_customer(
            picture.customer,
            operations.CustomerChanges(**given),  # type: ignore[typeddict-item]
            actor=request.actor,
            now=picture.now,
        ),
    )


@page(permission="customers.edit", nav="customer-list")
@require_POST
def add_address(request: PageRequest, number: str) -> HttpResponseBase:
    """Add an address, which becomes the one that counts."""
    return _take(
        request,
        number,
        forms.AddressForm(request.POST, auto_id="address_%s"),
        name="address",
        tab="file",
        done=_("The address is added."),
        run=lambda picture, given: operations.set_address(
            picture.customer, actor=request.actor, now=picture.now, **given
        ),
    )


@page(permission="customers.edit", nav="customer-list")
@require_POST
def add_relation(request: PageRequest, number: str) -> HttpResponseBase:
    """Say how the customer belongs to another one."""

    def run(picture: Picture, given: dict[str, Any]) -> None:
        try:
            other = get_visible_customer(given["other"], request.actor)
        except NotFound as error:
            raise InvalidInput(_("There is no customer with this number."), details={"field": "other"}) from error
        operations.relate_customers(
            picture.customer, other, kind=given["kind"], role=given["role"], actor=request.actor, now=picture.now
        )

    form = forms.RelationForm(request.POST, auto_id="relation_%s")
    return _take(request, number, form, name="relation", tab="relations", done=_("The relation is added."), run=run)


@page(permission="customers.edit", nav="customer-list")
@require_POST
def end_relation(request: PageRequest, number: str, relation_id: int) -> HttpResponseBase:
    """Forget a relation."""
    picture = Picture(number, request.actor, present())
    operations.end_relation(picture.customer, relation_id, actor=request.actor, now=picture.now)
    messages.success(request, _("The relation is ended."))
    return _back(number, "relations")


@page(permission="customers.view", nav="customer-list")
def photo(request: PageRequest, number: str) -> HttpResponseBase:
    """The customer's picture for those who may see the customer; posted to, a new one in its place."""
    if request.method == "POST":
        return _set_photo(request, number)
    customer = get_visible_customer(number, request.actor)
    if not customer.photo:
        raise NotFound(details={"photo": number})
    kind = "image/png" if str(customer.photo.name).endswith(".png") else "image/jpeg"
    return FileResponse(customer.photo.open("rb"), content_type=kind, headers={"Cache-Control": "private, max-age=600"})


def _set_photo(request: PageRequest, number: str) -> HttpResponseBase:
    return _take(
        request,
        number,
        forms.PhotoForm(request.POST, request.FILES, auto_id="photo_%s"),
        name="photo",
        tab="file",
        done=_("The photo is changed."),
        run=lambda picture, given: operations.set_photo(
            picture.customer, given["photo"], actor=request.actor, now=picture.now
        ),
    )
