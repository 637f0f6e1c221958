"""The spine: one row for each thing that happens with a customer."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now

from patron.core.accounts.models import Branch
from patron.core.customers.models import Customer
from patron.kernel.fields import CurrentXid, Xid8Field


class Activity(models.Model):
    """Append-only: written in the transaction of the change that it tells of, never changed after.

    `kind` is a dotted code (`purchase.completed`, `points.earned`); `source` points to the row it tells of, as
    `label:id`; `facts` are a few numbers and codes for showing it, never personal data.
    """

    customer = models.ForeignKey(
        Customer, null=True, on_delete=models.PROTECT, related_name="activities", db_index=False
    )
    kind = models.CharField(max_length=60)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    channel = models.CharField(max_length=20, blank=True)
    branch = models.ForeignKey(Branch, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    actor = models.CharField(max_length=60, blank=True)
    source = models.CharField(max_length=80, blank=True)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    changed_xid = Xid8Field(db_default=CurrentXid(), editable=False)

    class Meta:
        verbose_name_plural = "activities"
        indexes = [
            models.Index(fields=["customer", "-occurred_at", "-id"], name="activity_timeline"),
            models.Index(fields=["changed_xid"], name="activity_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.occurred_at:%Y-%m-%d} {self.kind}"
