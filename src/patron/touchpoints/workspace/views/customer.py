"""One customer, seen from every room: the head, the brief for the front desk, and the tabs."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.forms import BoundField, Form
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.business.purchases.queries import get_purchases_of, get_visible_purchase
from patron.core.activities.timeline import customer_timeline
from patron.core.customers.operations import Unmasked
from patron.kernel.clock import now as present
from patron.kernel.errors import NotFound
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace import happenings, judgements, loyalty_card, member_gifts, tier_card, wallet_card
from patron.touchpoints.workspace.customer_picture import Picture
from patron.touchpoints.workspace.forms import customers as forms
from patron.touchpoints.workspace.history import changes_of
from patron.touchpoints.workspace.positions import parse_position, written_position

TEMPLATE = "workspace/pages/customer.html"
EVENTS_PER_PAGE = 30
PURCHASES_PER_PAGE = 20

BoundForms = Mapping[str, Form]
TabBuilder = Callable[[PageRequest, Picture, BoundForms], dict[str, Any]]


@page(permission="customers.view", nav="customer-list")
def customer(request: PageRequest, number: str) -> HttpResponseBase:
    """The page of one customer; `?tab=` chooses what is below the head."""
    return render_customer(request, Picture(number, request.actor, present()))


def render_customer(
    request: PageRequest,
    picture: Picture,
    *,
    tab: str = "",
    bound: BoundForms | None = None,
    unmasked: Unmasked | None = None,
    status: int = 200,
) -> HttpResponseBase:
    """The page, or the part of it that was asked for. `bound` are forms that were refused, by their names."""
    tab = tab or request.GET.get("tab", "")
    if tab not in TABS:
        tab = "timeline"
    label, template, build = TABS[tab]
    address = reverse("customer", args=[picture.customer.number])
    offered = [key for key in TABS if key != "loyalty" or request.actor.can("loyalty.view")]
    context: dict[str, Any] = {
        "picture": picture,
        "customer": picture.customer,
        "contacts": _shown_contacts(picture, unmasked),
        "unmasked": unmasked,
        "offers_unmasking": picture.file.masked and unmasked is None and request.actor.can("customers.unmask"),
        "loyalty": loyalty_card.summary(picture),
        "currency": settings.CURRENCY,
        "address": address,
        "tab": tab,
        "tab_label": label,
        "tab_template": template,
        "tabs": [{"label": TABS[key][0], "url": f"{address}?tab={key}", "current": key == tab} for key in offered],
        "note_form": (bound or {}).get("note") or forms.NoteForm(),
        "may_note": request.actor.can("customers.note"),
        "may_edit": request.actor.can("customers.edit"),
        "may_consent": request.actor.can("customers.consent"),
        **build(request, picture, bound or {}),
    }
    return show(request, TEMPLATE, context, fragment="whole", status=status)


def _shown_contacts(picture: Picture, unmasked: Unmasked | None) -> list[dict[str, Any]]:
    """The ways to reach the customer, in clear where the reader may see or has just asked for it."""
    clear = {} if unmasked is None else {key: shown for key, _kind, shown in unmasked.contacts}
    return [
        {
            "id": contact.id,
            "kind": contact.kind,
            "kind_label": contact.kind_label,
            "label": contact.label,
            "shown": clear.get(contact.id, contact.shown),
            "dial": contact.dial,
            "is_primary": contact.is_primary,
            "source": contact.source,
            "verified_at": contact.verified_at,
        }
        for contact in picture.file.contacts
    ]


def _timeline(request: PageRequest, picture: Picture, bound: BoundForms) -> dict[str, Any]:
    address = reverse("customer", args=[picture.customer.number])
    topic = request.GET.get("topic", "")
    before = parse_position(request.GET.get("before", ""))
    timeline = customer_timeline(picture.customer, request.actor, topic=topic, before=before, limit=EVENTS_PER_PAGE)
    notes = {note.pk: note.text for note in picture.file.notes}
    topics = (("", _("Everything")), *happenings.TOPICS)
    return {
        "events": happenings.events_of(
            timeline.happenings, number=picture.customer.number, notes=notes, now=picture.now
        ),
        "chips": [
            {"label": label, "url": _url(address, tab="timeline", topic=code), "current": code == topic}
            for code, label in topics
        ],
        "topic": topic,
        "is_first_page": before is None,
        "newest_url": _url(address, tab="timeline", topic=topic),
        "older_url": _url(address, tab="timeline", topic=topic, before=written_position(timeline.next_before))
        if timeline.next_before
        else "",
        "rhythm": picture.rhythm(f"{address}?tab=purchases&purchase=") if request.actor.can("purchases.view") else None,
        "call_form": bound.get("call") or forms.CallForm(auto_id="call_%s"),
        "may_log": request.actor.can("activities.log"),
    }


def _purchases(request: PageRequest, picture: Picture, _bound: BoundForms) -> dict[str, Any]:
    address = reverse("customer", args=[picture.customer.number])
    before = parse_position(request.GET.get("before", ""))
    found = get_purchases_of(picture.customer, request.actor, before=before, limit=PURCHASES_PER_PAGE)
    chosen = _chosen_purchase(request, picture)
    if chosen is None and found.purchases:
        chosen = found.purchases[0].pk
    details = get_visible_purchase(chosen, request.actor) if chosen is not None else None
    here = {"before": request.GET.get("before", "")} if before else {}
    return {
        "purchases": [
            {"row": purchase, "url": _url(address, tab="purchases", purchase=purchase.pk, **here)}
            for purchase in found.purchases
        ],
        "receipt": details,
        "receipt_points": loyalty_card.points_of_purchase(picture, chosen) if chosen is not None else None,
        "is_first_page": before is None,
        "newest_url": _url(address, tab="purchases"),
        "older_url": _url(address, tab="purchases", before=written_position(found.next_before))
        if found.next_before
        else "",
    }


def _chosen_purchase(request: PageRequest, picture: Picture) -> int | None:
    """The purchase named in the address, if it is one of this customer's."""
    key = request.GET.get("purchase", "")
    if not key.isdigit() or len(key) > 18:
        return None
    details = get_visible_purchase(int(key), request.actor)
    if details.purchase.customer_id != picture.customer.pk:
        raise NotFound(details={"purchase": key})
    return int(key)


def _loyalty(request: PageRequest, picture: Picture, _bound: BoundForms) -> dict[str, Any]:
    return {
        **loyalty_card.lines_of(picture, before=request.GET.get("before", "")),
        **tier_card.tier_of(picture),
        **member_gifts.gifts_of(picture),
        "wallet": wallet_card.wallet_of(picture),
    }


def _value(_request: PageRequest, picture: Picture, _bound: BoundForms) -> dict[str, Any]:
    address = reverse("customer", args=[picture.customer.number])
    return {
        "scores": judgements.scores(picture.value) if picture.value else (),
        "value_facts": judgements.value_facts(picture.value) if picture.value else (),
        "stage_facts": judgements.stage_facts(picture.stage) if picture.stage else (),
        "parameters": judgements.rules_of(picture),
        "rhythm": picture.rhythm(f"{address}?tab=purchases&purchase=") if picture.actor.can("purchases.view") else None,
    }


def _contacts(_request: PageRequest, _picture: Picture, bound: BoundForms) -> dict[str, Any]:
    return {
        "contact_form": bound.get("contact") or forms.ContactForm(auto_id="contact_%s"),
        "consent_form": bound.get("consent") or forms.ConsentForm(auto_id="consent_%s"),
    }


def _relations(_request: PageRequest, _picture: Picture, bound: BoundForms) -> dict[str, Any]:
    return {"relation_form": bound.get("relation") or forms.RelationForm(auto_id="relation_%s")}


def _file(request: PageRequest, picture: Picture, bound: BoundForms) -> dict[str, Any]:
    details = bound.get("details") or forms.DetailsForm(
        initial=initial_details(picture), masked=picture.file.masked, auto_id="details_%s"
    )
    return {
        "details_form": details,
        "file_facts": [
            {"label": part.label, "value": shown_choice(part)} for part in details if part.value() not in (None, "")
        ],
        "photo_form": bound.get("photo") or forms.PhotoForm(auto_id="photo_%s"),
        "address_form": bound.get("address") or forms.AddressForm(auto_id="address_%s"),
        "changes": changes_of(picture.customer, request.actor) if request.actor.can("accounts.audit") else None,
    }


def initial_details(picture: Picture) -> dict[str, object]:
    """What the details form starts from."""
    fields = (
        "name", "family_name", "given_name", "latin_name", "kind", "sex", "birth_on", "occupation", "language",
        "preferred_channel", "preferences",
    )  # fmt: skip
    return {name: getattr(picture.customer, name) for name in fields}


def shown_choice(part: BoundField) -> object:
    """What a field holds, in words where it is a choice."""
    options = dict(getattr(part.field, "choices", ()))
    return options.get(part.value(), part.value())


def _url(address: str, **parameters: object) -> str:
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in parameters.items() if value != ""})
    return f"{address}?{query.urlencode()}"


TABS: dict[str, tuple[str | Promise, str, TabBuilder]] = {
    "timeline": (_("Timeline"), "workspace/partials/customer_timeline.html", _timeline),
    "purchases": (_("Purchases"), "workspace/partials/customer_purchases.html", _purchases),
    "loyalty": (_("Loyalty"), "workspace/partials/customer_loyalty.html", _loyalty),
    "value": (_("Value"), "workspace/partials/customer_value.html", _value),
    "contacts": (_("Contacts and consents"), "workspace/partials/customer_contacts.html", _contacts),
    "relations": (_("Relations"), "workspace/partials/customer_relations.html", _relations),
    "file": (_("File"), "workspace/partials/customer_file.html", _file),
}
