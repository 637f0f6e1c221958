"""Staff, roles, teams, branches, integration keys."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patron.core.accounts.rules import BRANCH_BOUND_ROLES, Role
from patron.kernel.fields import Tracked


class Branch(Tracked):
    """A store, clinic or hotel: a place where customers are met."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=400, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    time_zone = models.CharField(max_length=60, default="Asia/Hong_Kong")
    opening_hours = models.JSONField(default=dict, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(latitude__isnull=True) | models.Q(latitude__gte=-90, latitude__lte=90),
                name="branch_latitude_on_earth",
            ),
            models.CheckConstraint(
                condition=models.Q(longitude__isnull=True) | models.Q(longitude__gte=-180, longitude__lte=180),
                name="branch_longitude_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """People who share work."""

    name = models.CharField(max_length=100, unique=True)
    branch = models.ForeignKey(Branch, null=True, blank=True, on_delete=models.PROTECT, related_name="teams")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class StaffManager(BaseUserManager["Staff"]):
    def get_by_natural_key(self, username: str | None) -> "Staff":
        return self.get(username=username)


class Staff(AbstractBaseUser):
    """Someone who signs in."""

    class RoleChoice(models.TextChoices):
        ADMINISTRATOR = Role.ADMINISTRATOR.value, _("Administrator")
        EXECUTIVE = Role.EXECUTIVE.value, _("Executive")
        MARKETER = Role.MARKETER.value, _("Marketer")
        ANALYST = Role.ANALYST.value, _("Analyst")
        BRANCH_MANAGER = Role.BRANCH_MANAGER.value, _("Branch manager")
        CASHIER = Role.CASHIER.value, _("Cashier")
        SALES_REP = Role.SALES_REP.value, _("Sales representative")
        SERVICE_AGENT = Role.SERVICE_AGENT.value, _("Service agent")

    username = models.CharField(max_length=150, unique=True)
    name = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    role = models.CharField(max_length=20, choices=RoleChoice.choices)
    branches = models.ManyToManyField(Branch, blank=True, related_name="staff")
    teams = models.ManyToManyField(Team, blank=True, related_name="members")
    language = models.CharField(max_length=10, blank=True)
    theme = models.CharField(max_length=5, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    objects = StaffManager()

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        ordering = ["username"]

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def is_branch_bound(self) -> bool:
        return self.role in BRANCH_BOUND_ROLES


class IntegrationKey(models.Model):
    """A key with which a machine (till, web shop, ERP) speaks to the API. Only the digest of its secret is kept."""

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=60), default=list)
    branch = models.ForeignKey(Branch, null=True, blank=True, on_delete=models.PROTECT, related_name="integration_keys")
    rate_per_minute = models.PositiveIntegerField(default=600)
    created_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    last_used_on = models.DateField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
