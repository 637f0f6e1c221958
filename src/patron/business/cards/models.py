"""The face of the card: designs, what each card shows now, and the phones that carry it.

A face is derived: the same facts of the same design give the same content and hash. `CardFace` keeps what was last
told to the outside (a wallet, a printer), so that a change is noticed; who reads a card always gets it computed anew.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.models import Card, Membership, Programme
from patron.kernel.fields import Tracked


class CardDesign(Tracked):
    """A version of a design. A draft may be changed; once active it never is again: a change makes the next version.

    Of a programme one design is active for each tier, and one (tier empty) for all tiers without their own.
    `spec` is what `designs.parse_design` reads.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        RETIRED = "retired", _("Retired")

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="card_designs", db_index=False)
    name = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    tier = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.DRAFT)
    spec = models.JSONField(default=dict)
    logo = models.FileField(upload_to="cards/", blank=True)
    picture = models.FileField(upload_to="cards/", blank=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=200, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "name", "version"], name="card_design_version_once"),
            models.UniqueConstraint(
                fields=["programme", "tier"], condition=Q(status="active"), name="card_design_one_active"
            ),
            models.UniqueConstraint(
                fields=["programme", "name"], condition=Q(status="draft"), name="card_design_one_draft"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="card_design_version_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class CardFace(models.Model):
    """What a card shows: one row for each card that has been shown outside.

    `version` counts its changes: phones are told of cards whose version they do not have. `serial` names the card in
    wallets and tells nothing of it.
    """

    card = models.OneToOneField(Card, primary_key=True, on_delete=models.PROTECT, related_name="face")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="card_faces")
    serial = models.UUIDField(default=uuid.uuid4, unique=True)
    content = models.JSONField()
    content_hash = models.CharField(max_length=32)
    is_voided = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(content_hash__regex=r"^[0-9a-f]{32}$"), name="card_face_hash"),
            models.CheckConstraint(condition=Q(version__gte=1), name="card_face_version_counts"),
        ]

    def __str__(self) -> str:
        return f"card {self.card_id} as of {self.changed_at:%Y-%m-%d}"


class FaceChange(models.Model):
    """One rewriting of a card's face. Append-only; only where the content changed."""

    pk = models.CompositePrimaryKey("card_id", "version")
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="face_changes", db_index=False)
    version = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=32)
    changed_at = models.DateTimeField()
    actor = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return f"card {self.card_id} version {self.version}"


class PassRegistration(Tracked):
    """A phone that carries a card in its wallet and wants to be told when it changes."""

    device = models.CharField(max_length=100)
    pass_type = models.CharField(max_length=100)
    face = models.ForeignKey(CardFace, on_delete=models.PROTECT, related_name="registrations")
    push_token = models.CharField(max_length=200)
    registered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "pass_type", "face"], name="pass_registration_once"),
        ]

    def __str__(self) -> str:
        return f"{self.pass_type} of card {self.face_id}"


class RefreshMark(models.Model):
    """How far the sweep has looked at the ledger's accounts: one row. `seen_xid` is a transaction id."""

    seen_xid = models.BigIntegerField()
    swept_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="refresh_mark_single")]

    def __str__(self) -> str:
        return f"swept at {self.swept_at}"
