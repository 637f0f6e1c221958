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


class AnalysisRun(models.Model):
    """One run of an analysis: with what it ran, what it found, how it did against its baseline, and what became of it.

    Append-only. The latest promoted run of an analysis is the one whose results people see.
    """

    PROMOTED = "promoted"
    KEPT_BACK = "kept_back"
    REFUSED = "refused"
    FAILED = "failed"
    STATUSES = ((PROMOTED, "promoted"), (KEPT_BACK, "kept back"), (REFUSED, "refused"), (FAILED, "failed"))

    model = models.CharField(max_length=40)
    as_of = models.DateField()
    started_at = models.DateTimeField()
    seconds = models.FloatField()
    data_version = models.CharField(max_length=60)
    status = models.CharField(max_length=10, choices=STATUSES)
    why = models.TextField(blank=True)
    parameters = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    metrics = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    notes = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    metric = models.CharField(max_length=200, blank=True)
    value = models.FloatField(null=True)
    baseline = models.FloatField(null=True)
    higher_is_better = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["model", "-id"], name="analysis_run_latest")]
        constraints = [
            models.CheckConstraint(
                name="analysis_run_status",
                condition=models.Q(status__in=["promoted", "kept_back", "refused", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} as of {self.as_of}: {self.status}"
