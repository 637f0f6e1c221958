"""What people set for the mining models."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class ModelParameters(models.Model):
    """The parameters of a model from `changed_at` on, where they differ from its defaults.

    Append-only: the latest row of a model counts, the others are its history.
    """

    model = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=60)
    changed_by_name = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "model parameters"
        indexes = [models.Index(fields=["model", "-id"], name="model_parameters_latest")]

    def __str__(self) -> str:
        return f"{self.model} from {self.changed_at:%Y-%m-%d %H:%M}"
