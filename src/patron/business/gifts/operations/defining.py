"""What the catalogue offers."""

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from patron.business.gifts.errors import GiftCodeTaken, NoSuchGift
from patron.business.gifts.models import Gift
from patron.business.gifts.pictures import clean_picture
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation

if TYPE_CHECKING:
    from django.core.files import File


@dataclass(frozen=True, slots=True)
class GiftDetails:
    """What there is to say of a gift. `names` and `descriptions` are translations by language code."""

    name: str
    points_price: Decimal = Decimal(0)
    money_price: Decimal = Decimal(0)
    names: dict[str, str] = field(default_factory=dict)
    description: str = ""
    descriptions: dict[str, str] = field(default_factory=dict)
    tiers: tuple[str, ...] = ()
    member_limit: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    can_be_delivered: bool = False
    collect_days: int = 14
    low_stock: int = 3


@operation(permission="gifts.manage")
def define_gift(code: str, details: GiftDetails, *, actor: Actor, now: datetime) -> Gift:
    """Put a gift into the catalogue; it is offered at once, within its days.

    Raises GiftCodeTaken, InvalidInput naming the field.
    """
    gift = Gift(code=code.strip().upper())
    _fill(gift, details)
    try:
        with transaction.atomic():
            gift.save(force_insert=True)
    except IntegrityError as error:
        raise GiftCodeTaken(details={"field": "code"}) from error
    return gift


@operation(permission="gifts.manage")
def change_gift(gift: Gift, details: GiftDetails, *, actor: Actor, now: datetime) -> Gift:
    """Say anew what a gift is and costs. Orders keep what they cost. Raises InvalidInput naming the field."""
    locked = _locked(gift)
    _fill(locked, details)
    locked.save(update_fields=[each.name for each in fields(GiftDetails)])
    return locked


@operation(permission="gifts.manage")
def withdraw_gift(gift: Gift, *, actor: Actor, now: datetime) -> Gift:
    """Offer a gift no longer. Orders that were made stand. Safe to repeat."""
    return _offered(gift, False)


@operation(permission="gifts.manage")
def offer_gift(gift: Gift, *, actor: Actor, now: datetime) -> Gift:
    """Offer a withdrawn gift again. Safe to repeat."""
    return _offered(gift, True)


@operation(permission="gifts.manage", private=("picture",))
def set_gift_picture(gift: Gift, picture: "File[bytes] | None", *, actor: Actor, now: datetime) -> Gift:
    """Show a gift by this picture in place of the one there was; None takes it away.

    The picture is written anew (see `pictures`). Raises NotAPicture.
    """
    content = clean_picture(picture) if picture is not None else None
    locked = _locked(gift)
    storage, old = locked.picture.storage, locked.picture.name
    if content is None:
        locked.picture = ""
    else:
        file, ending = content
        locked.picture.save(f"{locked.code.lower()}-{get_random_string(8)}.{ending}", file, save=False)
    locked.save(update_fields=["picture"])
    if old:
        transaction.on_commit(lambda: storage.delete(old))
    return locked


def _locked(gift: Gift) -> Gift:
    found = Gift.objects.select_for_update(no_key=True).filter(pk=gift.pk).first()
    if found is None:
        raise NoSuchGift(details={"gift": gift.code})
    return found


def _offered(gift: Gift, is_active: bool) -> Gift:
    locked = _locked(gift)
    if locked.is_active != is_active:
        locked.is_active = is_active
        locked.save(update_fields=["is_active"])
    return locked


def _fill(gift: Gift, details: GiftDetails) -> None:
    """Set what `details` say. Raises InvalidInput naming the first field that cannot be."""
    if details.points_price <= 0 and details.money_price <= 0:
        raise InvalidInput(_("A gift costs points, money, or both."), details={"field": "points_price"})
    if details.starts_on and details.ends_on and details.ends_on < details.starts_on:
        raise InvalidInput(_("The last day comes before the first."), details={"field": "ends_on"})
    if details.member_limit is not None and details.member_limit < 1:
        raise InvalidInput(_("A limit is one piece or more."), details={"field": "member_limit"})
    if not 1 <= details.collect_days <= 365:
        raise InvalidInput(_("Gifts are kept for 1 to 365 days."), details={"field": "collect_days"})
    for each in fields(GiftDetails):
        value = getattr(details, each.name)
        setattr(gift, each.name, list(value) if each.name == "tiers" else value)
    gift.names = {code: text.strip() for code, text in details.names.items() if text.strip()}
    gift.descriptions = {code: text.strip() for code, text in details.descriptions.items() if text.strip()}
    try:
        gift.clean_fields(exclude=["names", "descriptions", "picture", "created_at", "changed_xid"])
        gift.validate_constraints(exclude=["code"] if gift.pk else [])
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        wanted = name if name in gift.__dict__ else "code"
        raise InvalidInput(messages[0], details={"field": wanted}) from error
