"""Tables of the kernel: audit trail, idempotent answers, rate windows, import runs."""

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now

from patron.kernel.fields import Tracked


class AuditEntry(models.Model):
    """One operation that someone ran. Append-only."""

    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=60)
    actor_name = models.CharField(max_length=200)
    operation = models.CharField(max_length=120)
    subject = models.CharField(max_length=120, blank=True)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "-id"], name="audit_subject"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.operation}"


class IdempotentAnswer(models.Model):
    """The answer given to a keyed request, so that a retry gets the same one."""

    owner = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64)
    status = models.SmallIntegerField(null=True)
    body = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotent_answer_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_answer_age")]

    def __str__(self) -> str:
        return f"{self.owner} {self.key}"


class RateWindow(models.Model):
    """Requests counted for one owner in one window of time."""

    owner = models.CharField(max_length=80)
    window_start = models.DateTimeField()
    count = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "window_start"], name="rate_window_once")]

    def __str__(self) -> str:
        return f"{self.owner} {self.window_start:%H:%M:%S} {self.count}"


class ImportMapping(models.Model):
    """A column mapping saved under a name, for files that come again."""

    importer = models.CharField(max_length=60)
    name = models.CharField(max_length=100)
    columns = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["importer", "name"], name="import_mapping_once")]

    def __str__(self) -> str:
        return f"{self.importer}: {self.name}"


class ImportRun(Tracked):
    """One file going in. Its checkpoint (chunks done) makes it resumable; its counts say what became of every row.

    `fingerprint` digests the file, the importer, the mapping and the options: the same again resumes an unfinished run.
    `details` holds what was detected (format, delimiter, date orders, guesses) and what the dry run found.
    """

    class Status(models.TextChoices):
        UPLOADED = "uploaded"
        CHECKED = "checked"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    importer = models.CharField(max_length=60)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.UPLOADED)
    file_name = models.CharField(max_length=255)
    file_path = models.TextField()
    file_sha256 = models.CharField(max_length=64, blank=True)
    file_bytes = models.BigIntegerField(default=0)
    format = models.CharField(max_length=12, blank=True)
    encoding = models.CharField(max_length=40, blank=True)
    headers = ArrayField(models.TextField(), default=list)
    columns = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    source = models.CharField(max_length=60, blank=True)
    mapping_name = models.CharField(max_length=100, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    first_errors = models.JSONField(default=list)
    rows_total = models.BigIntegerField(default=0)
    rows_done = models.BigIntegerField(default=0)
    checkpoint = models.BigIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    error_file = models.TextField(blank=True)
    created_by = models.CharField(max_length=60, blank=True)
    created_by_name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at"], name="import_run_recent"),
            models.Index(fields=["fingerprint"], name="import_run_same", condition=~models.Q(fingerprint="")),
        ]

    def __str__(self) -> str:
        return f"{self.importer} {self.file_name} ({self.status})"
