"""Designing cards: drafts, versions, and what is on members' cards."""

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from django.core.files.base import ContentFile
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from patron.business.cards.designs import DesignError, DesignSpec, parse_design
from patron.business.cards.errors import DesignNotDraft, DesignRefused, PicturesInvalid
from patron.business.cards.models import CardDesign
from patron.business.loyalty.models import Programme
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict, InvalidInput
from patron.kernel.operation import operation

if TYPE_CHECKING:
    from django.core.files import File

PictureKind = Literal["logo", "picture"]

LARGEST_BYTES = 5 * 1024 * 1024
MOST_DOTS = 6000
KEPT_DOTS: Mapping[PictureKind, tuple[int, int]] = {"logo": (600, 300), "picture": (1300, 820)}
"""Pictures are kept no larger than a card printer can show."""

_WORDS: Mapping[str, str | Promise] = {
    "unknown": _("A design has no such part."),
    "colour": _("A colour is # and six hexadecimal digits, such as #0f766e."),
    "choice": _("Choose one of those offered."),
    "twice": _("This stands on the card already. Choose something else here."),
    "whole": _("This is a whole number from 0 to %(most)s."),
    "long": _("A message has at most %(most)s characters."),
    "placeholder": _("“%(wrong)s” is not something that a message can fill in."),
    "unreadable": _("Text of this colour cannot be read on this ground (contrast %(ratio)s, at least 3 is needed)."),
}


def _checked(spec: Mapping[str, Any]) -> DesignSpec:
    try:
        return parse_design(spec)
    except DesignError as error:
        words = _WORDS[error.code] % error.values_ if error.values_ else _WORDS[error.code]
        raise DesignRefused(words, details={"field": error.place}) from error


@operation(permission="cards.design")
def create_design(
    programme: Programme, *, name: str, spec: Mapping[str, Any], actor: Actor, now: datetime, tier: str = ""
) -> CardDesign:
    """Draft a design, for the members of one tier or (tier empty) of all. Raises DesignRefused, Conflict."""
    name = _named(name)
    checked = _checked(spec)
    Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
    if CardDesign.objects.filter(programme=programme, name=name).exists():
        raise Conflict(_("There is a design of this name already. Choose another name."), details={"field": "name"})
    return CardDesign.objects.create(
        programme=programme,
        name=name,
        version=1,
        tier=tier.strip(),
        spec=checked.as_json(),
        created_at=now,
        created_by=actor.name,
    )


@operation(permission="cards.design")
def change_design(
    design: CardDesign, *, spec: Mapping[str, Any], actor: Actor, now: datetime, tier: str | None = None
) -> CardDesign:
    """Change the draft; of a version that is active or retired make (or change) the draft of the next one.

    Gives the draft. Members' cards stay as they are until it is activated. Raises DesignRefused.
    """
    checked = _checked(spec)
    draft = _draft_of(design, actor=actor, now=now)
    draft.spec = checked.as_json()
    draft.tier = draft.tier if tier is None else tier.strip()
    draft.save(update_fields=["spec", "tier"])
    return draft


@operation(permission="cards.design", private=("picture",))
def set_design_picture(
    design: CardDesign, kind: PictureKind, picture: "File[bytes] | None", *, actor: Actor, now: datetime
) -> CardDesign:
    """Put a logo or a ground picture on the draft, or take it off (None). Gives the draft, as `change_design`.

    The picture is decoded and written anew, so that nothing but dots is kept. Raises PicturesInvalid.
    """
    if kind not in KEPT_DOTS:
        raise InvalidInput(details={"field": "kind"})
    kept = None if picture is None else _rewritten(picture, kind)
    draft = _draft_of(design, actor=actor, now=now)
    column = draft.logo if kind == "logo" else draft.picture
    if kept is None:
        column.name = ""
    else:
        column.save(f"{kind}-{draft.pk}.png", ContentFile(kept), save=False)
    draft.save(update_fields=[kind])
    return draft


@operation(permission="cards.design")
def activate_design(design: CardDesign, *, actor: Actor, now: datetime) -> CardDesign:
    """Put the draft on members' cards in place of the design that was active for the same tier.

    A retired version may be activated again. Cards show it at once; phones are told soon after. Safe to repeat.
    """
    locked = _locked(design)
    if locked.status == CardDesign.Status.ACTIVE:
        return locked
    CardDesign.objects.filter(
        programme_id=locked.programme_id, tier=locked.tier, status=CardDesign.Status.ACTIVE
    ).update(status=CardDesign.Status.RETIRED)
    locked.status, locked.activated_at = CardDesign.Status.ACTIVE, now
    locked.save(update_fields=["status", "activated_at"])
    return locked


@operation(permission="cards.design")
def retire_design(design: CardDesign, *, actor: Actor, now: datetime) -> CardDesign:
    """Take an active design off members' cards: they show the one for all tiers, or the standard one."""
    locked = _locked(design)
    if locked.status == CardDesign.Status.ACTIVE:
        locked.status = CardDesign.Status.RETIRED
        locked.save(update_fields=["status"])
    return locked


@operation(permission="cards.design")
def discard_design(design: CardDesign, *, actor: Actor, now: datetime) -> None:
    """Throw a draft away. Raises DesignNotDraft for a version that has been on cards."""
    locked = _locked(design)
    if locked.status != CardDesign.Status.DRAFT:
        raise DesignNotDraft
    locked.delete()


def _named(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= 80:
        raise InvalidInput(_("A design needs a name of at most 80 characters."), details={"field": "name"})
    return name


def _locked(design: CardDesign) -> CardDesign:
    """The design as it is now, its programme locked: one change of a programme's designs at a time."""
    Programme.objects.select_for_update(no_key=True).get(pk=design.programme_id)
    return CardDesign.objects.get(pk=design.pk)


def _draft_of(design: CardDesign, *, actor: Actor, now: datetime) -> CardDesign:
    locked = _locked(design)
    if locked.status == CardDesign.Status.DRAFT:
        return locked
    versions = CardDesign.objects.filter(programme_id=locked.programme_id, name=locked.name)
    draft = versions.filter(status=CardDesign.Status.DRAFT).first()
    if draft is not None:
        return draft
    newest = versions.order_by("-version").values_list("version", flat=True)[0]
    return CardDesign.objects.create(
        programme_id=locked.programme_id,
        name=locked.name,
        version=newest + 1,
        tier=locked.tier,
        spec=locked.spec,
        logo=locked.logo.name,
        picture=locked.picture.name,
        created_at=now,
        created_by=actor.name,
    )


def _rewritten(picture: "File[bytes]", kind: PictureKind) -> bytes:
    if (picture.size or 0) > LARGEST_BYTES:
        raise PicturesInvalid(details={"field": kind})
    try:
        opened = Image.open(picture, formats=("PNG", "JPEG"))
        if max(opened.size) > MOST_DOTS:
            raise PicturesInvalid(details={"field": kind})
        drawn = opened.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise PicturesInvalid(details={"field": kind}) from error
    drawn.thumbnail(KEPT_DOTS[kind])
    kept = BytesIO()
    drawn.save(kept, "PNG", optimize=True)
    return kept.getvalue()
