"""Everyone on file: who they are, how to reach them, what they allow, what is known of them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patron.core.accounts.models import Branch, Staff
from patron.kernel.fields import CurrentXid, Tracked, Xid8Field


class Customer(Tracked):
    """Anyone on file. `number` is the name that staff and letters use; `name` is how the person is addressed in full.

    For Chinese names `name` is family name first. `attributes` is the room left for fields that an organisation adds.
    """

    class Kind(models.TextChoices):
        INDIVIDUAL = "individual", _("Individual")
        HOUSEHOLD = "household", _("Household")
        ORGANISATION = "organisation", _("Organisation")
        INTERMEDIARY = "intermediary", _("Intermediary")
        INDIRECT = "indirect", _("Indirect customer")
        INTERNAL = "internal", _("Internal")
        COMMUNITY = "community", _("Community or club")
        PROSPECT = "prospect", _("Prospect")

    class Sex(models.TextChoices):
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        OTHER = "other", _("Other")
        UNKNOWN = "", _("Not known")

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        ARCHIVED = "archived", _("Archived")
        BLOCKED = "blocked", _("Blocked")

    number = models.CharField(max_length=20)
    kind = models.CharField(max_length=14, choices=Kind.choices, default=Kind.INDIVIDUAL)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.ACTIVE)
    name = models.CharField(max_length=200, blank=True)
    family_name = models.CharField(max_length=100, blank=True)
    given_name = models.CharField(max_length=100, blank=True)
    latin_name = models.CharField(max_length=200, blank=True)
    sex = models.CharField(max_length=6, choices=Sex.choices, blank=True)
    birth_on = models.DateField(null=True, blank=True)
    occupation = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=10, blank=True)
    preferred_channel = models.CharField(max_length=20, blank=True)
    preferences = models.TextField(blank=True)
    home_branch = models.ForeignKey(
        Branch, null=True, blank=True, on_delete=models.PROTECT, related_name="customers", db_index=False
    )
    owner = models.ForeignKey(Staff, null=True, blank=True, on_delete=models.SET_NULL, related_name="customers")
    photo = models.FileField(upload_to="customers/", blank=True)
    registered_on = models.DateField(null=True, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["home_branch", "-id"], name="customer_branch"),
            models.Index(fields=["changed_xid"], name="customer_changed"),
        ]
        # Not `unique=True`, which would bring a second index for LIKE that nobody asks.
        constraints = [models.UniqueConstraint(fields=["number"], name="customer_number_once")]

    def __str__(self) -> str:
        return self.name or self.number


class CustomerSearch(models.Model):
    """The terms under which a customer is found: bigrams, pinyin, initials, folded variants, phone tails, card numbers.

    Kept beside the customer so that a change of, say, a preference does not rewrite thirty index entries. Derived,
    loaded by the million: the database does not check the reference row by row.
    """

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.CASCADE, related_name="search", db_constraint=False
    )
    terms = ArrayField(models.TextField())

    class Meta:
        indexes = [GinIndex(fields=["terms"], name="customer_search_terms", fastupdate=False)]

    def __str__(self) -> str:
        return str(self.customer_id)


class ExternalId(models.Model):
    """The number under which another system knows the customer."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="external_ids")
    source = models.CharField(max_length=60)
    value = models.CharField(max_length=120)

    class Meta:
        # The value first: people look for a number without saying whose it is.
        constraints = [models.UniqueConstraint(fields=["value", "source"], name="external_id_value")]

    def __str__(self) -> str:
        return f"{self.source}:{self.value}"


class ContactPoint(models.Model):
    """A phone number, e-mail address or other way to reach a customer. `value` is normal form: E.164, lower case."""

    class Kind(models.TextChoices):
        PHONE = "phone", _("Phone")
        EMAIL = "email", _("E-mail")
        WECHAT = "wechat", _("WeChat")
        LINE = "line", _("LINE")
        WHATSAPP = "whatsapp", _("WhatsApp")

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contact_points", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.CharField(max_length=200)
    label = models.CharField(max_length=40, blank=True)
    is_primary = models.BooleanField(default=False)
    source = models.CharField(max_length=60, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "kind", "value"], name="contact_point_once")]
        indexes = [
            # Found whole and by their beginning, whatever the server's collation.
            models.Index(fields=["kind", "value"], name="contact_point_found", opclasses=["varchar_pattern_ops"] * 2)
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.pk}"


class Address(models.Model):
    """Where a customer lives or works."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="addresses")
    label = models.CharField(max_length=40, blank=True)
    lines = models.CharField(max_length=400, blank=True)
    district = models.CharField(max_length=100, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=60, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    is_primary = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "addresses"

    def __str__(self) -> str:
        return f"{self.label} {self.city}"


class Consent(models.Model):
    """What a customer allowed or refused, for a purpose over a channel. Append-only: the latest row counts."""

    class Purpose(models.TextChoices):
        MARKETING = "marketing", _("Marketing")
        SERVICE = "service", _("Service messages")
        PROFILING = "profiling", _("Profiling")
        PARTNERS = "partners", _("Sharing with partners")

    class Channel(models.TextChoices):
        SMS = "sms", _("SMS")
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        POST = "post", _("Post")
        APP = "app", _("App or chat")
        ANY = "any", _("Any channel")

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="consents", db_index=False)
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    channel = models.CharField(max_length=6, choices=Channel.choices)
    granted = models.BooleanField()
    given_at = models.DateTimeField()
    source = models.CharField(max_length=60)
    recorded_at = models.DateTimeField(db_default=Now())
    recorded_by = models.CharField(max_length=60, blank=True)
    changed_xid = Xid8Field(db_default=CurrentXid(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer", "purpose", "channel", "-given_at", "-id"], name="consent_latest"),
            models.Index(fields=["changed_xid"], name="consent_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}/{self.channel} {'granted' if self.granted else 'refused'}"


class CustomerNote(models.Model):
    """A note by staff. Those for the front desk are shown to whoever meets the customer."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="notes")
    text = models.TextField()
    for_front_desk = models.BooleanField(default=False)
    written_by = models.CharField(max_length=200, blank=True)
    written_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"note {self.pk}"


class Relation(Tracked):
    """How two customers belong together, read as "`customer` is `kind` of `other`"."""

    class Kind(models.TextChoices):
        MEMBER = "member", _("Member of the household")
        KEY_PERSON = "key_person", _("Key person")
        PAYER = "payer", _("Payer")
        PARENT = "parent", _("Parent")
        SPOUSE = "spouse", _("Spouse")
        REFERRER = "referrer", _("Referrer")

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="relations")
    other = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="relations_to")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    role = models.CharField(max_length=100, blank=True)
    since_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "other", "kind"], name="relation_once"),
            models.CheckConstraint(condition=~models.Q(customer=models.F("other")), name="relation_not_to_self"),
        ]
        indexes = [models.Index(fields=["changed_xid"], name="relation_changed")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.kind} {self.other_id}"


class InsightRun(models.Model):
    """One run of a model whose results were published."""

    model = models.CharField(max_length=40)
    as_of = models.DateField()
    computed_at = models.DateTimeField()
    parameters = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    metrics = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    data_version = models.CharField(max_length=60, blank=True)
    rows = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["model", "-id"], name="insight_run_latest")]

    def __str__(self) -> str:
        return f"{self.model} as of {self.as_of}"


class Insight(models.Model):
    """What a model says of a customer: a label, a score, a rank, the facts behind it and the reason in words.

    One row for each customer and model: a new run replaces the old. Written by the million from customers and a run
    that are there: the database does not check the references row by row.
    `reason_code` names the sentence, `facts` hold its numbers, so that a page can say it in the reader's language.
    """

    pk = models.CompositePrimaryKey("customer_id", "model")
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="insights", db_index=False, db_constraint=False
    )
    model = models.CharField(max_length=40)
    run = models.ForeignKey(
        InsightRun, on_delete=models.PROTECT, related_name="insights", db_index=False, db_constraint=False
    )
    label = models.CharField(max_length=40, blank=True)
    score = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    rank = models.BigIntegerField(null=True)
    reason_code = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["model", "label", "-score", "customer_id"], name="insight_label"),
            models.Index(fields=["model", "rank"], name="insight_rank"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.model} {self.label}"
