"""Terminals, and what each of them told: once, whatever the number of retries."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.models import Membership
from patron.business.purchases.models import Purchase
from patron.core.accounts.models import Branch, IntegrationKey
from patron.kernel.fields import Tracked


class Terminal(Tracked):
    """A till of a branch, with a key of its own and limits of its own (null: none).

    `most_points` and `most_voucher_amount` are what it may redeem in a day, `most_amount` what one sale may come to,
    `offline_days` how old a sale may be that it tells of afterwards.
    """

    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="terminals")
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=100, blank=True)
    key = models.OneToOneField(IntegrationKey, null=True, blank=True, on_delete=models.PROTECT, related_name="terminal")
    is_active = models.BooleanField(default=True)
    most_amount = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    most_points = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    most_voucher_amount = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    offline_days = models.PositiveSmallIntegerField(default=14)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[A-Za-z0-9._-]+$"), name="terminal_code"),
            models.CheckConstraint(
                condition=(Q(most_amount__isnull=True) | Q(most_amount__gt=0))
                & (Q(most_points__isnull=True) | Q(most_points__gte=0))
                & (Q(most_voucher_amount__isnull=True) | Q(most_voucher_amount__gte=0)),
                name="terminal_limits",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class TillEntry(models.Model):
    """What a terminal told under `client_id`, and the answer it got. Append-only.

    `digest` is that of the request: the same again gets the same answer, another one under the same id is refused.
    """

    class Kind(models.TextChoices):
        SALE = "sale", _("Sale")
        RETURN = "return", _("Return")
        VOID = "void", _("Void")

    terminal = models.ForeignKey(Terminal, on_delete=models.PROTECT, related_name="entries", db_index=False)
    client_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    digest = models.CharField(max_length=64)
    purchase = models.ForeignKey(Purchase, on_delete=models.PROTECT, related_name="till_entries")
    membership = models.ForeignKey(Membership, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    occurred_at = models.DateTimeField()
    points_spent = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    voucher_amount = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    answer = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    actor = models.CharField(max_length=60, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["terminal", "client_id"], name="till_entry_once"),
            models.CheckConstraint(condition=~Q(client_id=""), name="till_entry_has_id"),
        ]
        indexes = [
            models.Index(F("terminal"), F("recorded_at").desc(), name="till_entry_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} ({self.kind})"
