"""Setting up the programme: its versions, the draft of the next one, and when it takes effect."""

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty import tier_jobs
from patron.business.loyalty.errors import RuleInThePast
from patron.business.loyalty.ledger.rulebooks import rulebook_at
from patron.business.loyalty.models import LedgerTransaction, Programme, ProgrammeVersion
from patron.business.loyalty.requests import read_terms
from patron.business.loyalty.rules.terms import Terms
from patron.kernel.actor import Actor
from patron.kernel.clock import require_aware
from patron.kernel.errors import Conflict, InvalidInput
from patron.kernel.jobs import defer
from patron.kernel.operation import operation


@operation(permission="loyalty.manage")
def create_programme(
    *,
    code: str,
    name: str,
    currency: str,
    rules_from: datetime,
    actor: Actor,
    now: datetime,
    terms: Terms | None = None,
    card_prefix: str = "8800",
    debt: str = Programme.Debt.OFFSET,
) -> Programme:
    """Create a programme with the first version of its terms, in force from `rules_from`.

    By default one point for each whole 1.00, usable to the end of the month twelve months later. `debt` says what
    happens when points are taken back after they were spent (`Programme.Debt`).

    Raises InvalidInput naming the field; Conflict where the code is taken.
    """
    if not code.strip() or not name.strip():
        raise InvalidInput(_("A programme needs a code and a name."), details={"field": "name"})
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha() or not currency.isupper():
        raise InvalidInput(_("A currency is three capital letters, such as HKD."), details={"field": "currency"})
    if not (1 <= len(card_prefix) <= 8 and card_prefix.isascii() and card_prefix.isdigit()):
        raise InvalidInput(_("A card prefix is one to eight digits."), details={"field": "card_prefix"})
    if debt not in Programme.Debt.values:
        raise InvalidInput(_("Choose what happens to points that are owed."), details={"field": "debt"})
    try:
        with transaction.atomic():
            programme = Programme.objects.create(
                code=code.strip(),
                name=name.strip(),
                currency=currency,
                card_prefix=card_prefix,
                debt=debt,
                created_at=now,
            )
    except IntegrityError as error:
        raise Conflict(_("There is a programme with this code already."), details={"field": "code"}) from error
    _add_version(programme, terms=terms or Terms(), valid_from=rules_from, note="", actor=actor)
    return programme


@operation(permission="loyalty.manage")
def change_programme(
    programme: Programme,
    *,
    actor: Actor,
    now: datetime,
    name: str | None = None,
    point_value: Decimal | None = None,
    four_eyes_above: Decimal | None = None,
) -> Programme:
    """Change what is not a matter of versions: the name, what a point is worth in the books, the limit of adjustments
    by one person. Raises InvalidInput naming the field."""
    locked = Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
    if name is not None:
        if not name.strip():
            raise InvalidInput(_("A programme needs a code and a name."), details={"field": "name"})
        locked.name = name.strip()
    for field, value, most in (
        ("point_value", point_value, Decimal(1000)),
        ("four_eyes_above", four_eyes_above, Decimal("999999999999.99")),
    ):
        if value is not None:
            if not value.is_finite() or not 0 <= value <= most:
                raise InvalidInput(_("This number cannot be."), details={"field": field})
            setattr(locked, field, value)
    locked.save(update_fields=["name", "point_value", "four_eyes_above"])
    return locked


@operation(permission="loyalty.manage")
def save_draft(programme: Programme, draft: Mapping[str, Any] | None, *, actor: Actor, now: datetime) -> Programme:
    """Keep the terms that somebody is working on, also unfinished ones; None throws them away."""
    locked = Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
    locked.draft = None if draft is None else dict(draft)
    locked.draft_saved_at, locked.draft_saved_by = now, actor.reference
    locked.save(update_fields=["draft", "draft_saved_at", "draft_saved_by"])
    return locked


@operation(permission="loyalty.manage")
def publish_version(
    programme: Programme,
    terms: Terms | Mapping[str, Any],
    *,
    valid_from: datetime,
    actor: Actor,
    now: datetime,
    note: str = "",
) -> ProgrammeVersion:
    """Add a version of the terms, in force from `valid_from` on; earlier purchases keep theirs.

    Returns of a purchase go by the version that it earned under, whenever they come. The draft is done with. Raises
    InvalidTerms naming the place, and RuleInThePast where points have been posted for purchases since `valid_from`.
    Where the ladder of tiers is another one, members who qualify by it are placed by a job when it takes effect.
    """
    read = terms if isinstance(terms, Terms) else read_terms(terms)
    locked = Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
    if (
        valid_from < now
        and LedgerTransaction.objects.filter(
            membership__programme=programme, kind=LedgerTransaction.Kind.EARN, occurred_at__gte=valid_from
        ).exists()
    ):
        raise RuleInThePast(details={"field": "valid_from"})
    before = rulebook_at(programme.pk, valid_from)
    version = _add_version(locked, terms=read, valid_from=valid_from, note=note, actor=actor)
    if read.tiers.ladder and (before is None or before.terms.tiers != read.tiers):
        wait = max(0, math.ceil((valid_from - now).total_seconds()))
        defer(tier_jobs.place, scheduled_in_seconds=wait, programme_id=programme.pk)
    if locked.draft is not None:
        locked.draft = None
        locked.save(update_fields=["draft"])
    return version


def _add_version(
    programme: Programme, *, terms: Terms, valid_from: datetime, note: str, actor: Actor
) -> ProgrammeVersion:
    return ProgrammeVersion.objects.create(
        programme=programme,
        version=programme.versions.count() + 1,
        terms=terms.as_json(),
        note=note.strip()[:200],
        valid_from=require_aware(valid_from),
        created_by=actor.reference,
    )
