"""Pictures of card designs for the pages that make them."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language

from patron.business.cards.designs import OCCASIONS, DesignSpec, Occasion
from patron.business.cards.drawing.keeping import design_png, standard_png
from patron.business.cards.models import CardDesign
from patron.business.cards.rules import CardFacts
from patron.business.cards.samples import sample_facts
from patron.business.cards.words import language_of
from patron.business.loyalty.models import Membership, Programme
from patron.business.loyalty.queries import get_membership
from patron.business.loyalty.queries.programmes import terms_in_force
from patron.core.customers.queries import get_visible_customer
from patron.kernel import clock
from patron.kernel.actor import Actor

LIST_PPI, EDITOR_PPI = 110, 160


@dataclass(frozen=True, slots=True)
class Shown:
    """A version of a design as the list shows it."""

    design: CardDesign
    picture: str


def group_of(programme: Programme, designs: list[CardDesign]) -> dict[str, Any]:
    """The designs of a programme: those on cards, drafts, and how many versions are past."""
    own = [each for each in designs if each.programme_id == programme.pk]
    on_all_cards = any(each.status == "active" and not each.tier for each in own)
    return {
        "programme": programme,
        "active": [_shown(each) for each in own if each.status == "active"],
        "drafts": [_shown(each) for each in own if each.status == "draft"],
        "retired": [each for each in own if each.status == "retired"],
        "standard": "" if on_all_cards else _inline(standard_png(facts_for(programme), ppi=LIST_PPI)),
    }


def preview_of(asked: Mapping[str, str], design: CardDesign, spec: DesignSpec) -> dict[str, object]:
    """The picture of `spec` and what it shows: `language` and `occasion` are chosen beside it."""
    occasion = asked.get("occasion", "default")
    chosen: Occasion = occasion if occasion in OCCASIONS else "default"
    language = language_of(asked.get("language") or get_language() or "")
    facts = facts_for(design.programme, tier=design.tier, language=language, occasion=chosen)
    return {
        "url": _inline(design_png(design, facts, spec=spec, ppi=EDITOR_PPI)),
        "language": language,
        "occasion": chosen,
        "address": reverse("card-design-preview", args=[design.pk]),
    }


def _shown(design: CardDesign) -> Shown:
    return Shown(design, _inline(design_png(design, facts_for(design.programme, tier=design.tier), ppi=LIST_PPI)))


def facts_for(programme: Programme, *, tier: str = "", language: str = "", occasion: Occasion = "default") -> CardFacts:
    """The sample member of a preview, in the reader's language unless told."""
    now: datetime = clock.now()
    return sample_facts(
        programme=programme.name,
        language=language or language_of(get_language() or ""),
        on=clock.today(now),
        currency=programme.currency,
        prefix=programme.card_prefix,
        tier=tier,
        tier_name=_tier_name(programme, tier, now),
        occasion=occasion,
    )


def _tier_name(programme: Programme, tier: str, now: datetime) -> str:
    """What the rules in force call the tier with this code; its code where they know none."""
    ladder = terms_in_force(programme, now).tiers.ladder if tier else ()
    return next((each.name for each in ladder if each.code == tier), tier)


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"


def membership_of(number: str, actor: Actor) -> Membership:
    """The first membership of the customer with this number. Raises NotFound, NoSuchMember, PermissionRefused."""
    return get_membership(get_visible_customer(number, actor), actor)
