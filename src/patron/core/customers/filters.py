"""Which customers a list shows: read from an address, written back into one, and said as a sentence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patron.core.customers.models import Consent, Customer
from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS

VALUE_CLASSES = ("A", "B", "C")
SORTS = ("-value", "value", "name", "-name", "number", "-number", "-last_visit", "last_visit")
ALL_STATUSES = "all"
LONGEST_TEXT = 100


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition in words, and the query string of the list without it."""

    label: str
    without: str


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """What a customer must be to be listed; what is empty does not matter.

    `branch` is a code, `owner` the id of a member of staff; `unseen_days` means not come for so many days (and come
    before); `consent` is a channel over which marketing is allowed. Archived customers are left out unless
    `status` asks for them or is `all`. The fields are the names of the query string.
    """

    q: str = ""
    kind: str = ""
    status: str = ""
    branch: str = ""
    owner: int | None = None
    value: str = ""
    stage: str = ""
    vip: bool = False
    at_risk: bool = False
    unseen_days: int | None = None
    seen_since: date | None = None
    seen_until: date | None = None
    registered_since: date | None = None
    registered_until: date | None = None
    consent: str = ""
    sort: str = SORTS[0]

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "CustomerFilter":
        """Read from a query string; what cannot be read is left out, so that an old link still opens."""
        return cls(
            q=query.get("q", "").strip()[:LONGEST_TEXT],
            kind=_one_of(query.get("kind", ""), Customer.Kind.values),
            status=_one_of(query.get("status", ""), [*Customer.Status.values, ALL_STATUSES]),
            branch=query.get("branch", "").strip()[:40],
            owner=_number(query.get("owner", ""), most=2**31),
            value=_one_of(query.get("value", "").upper(), VALUE_CLASSES),
            stage=_one_of(query.get("stage", ""), list(STAGE_LABELS)),
            vip=query.get("vip", "") in ("1", "true", "on", "yes"),
            at_risk=query.get("at_risk", "") in ("1", "true", "on", "yes"),
            unseen_days=_number(query.get("unseen_days", ""), most=10_000),
            seen_since=_day(query.get("seen_since", "")),
            seen_until=_day(query.get("seen_until", "")),
            registered_since=_day(query.get("registered_since", "")),
            registered_until=_day(query.get("registered_until", "")),
            consent=_one_of(query.get("consent", ""), Consent.Channel.values),
            sort=_one_of(query.get("sort", ""), SORTS) or SORTS[0],
        )

    def to_query(self) -> str:
        """The query string that gives this filter again, without what does not matter."""
        return urlencode(self._given())

    def _given(self) -> dict[str, str]:
        given = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                given[field.name] = (
                    "1" if value is True else value.isoformat() if isinstance(value, date) else str(value)
                )
        return given

    @property
    def is_empty(self) -> bool:
        """Whether it lists everyone, in whatever order."""
        return replace(self, sort=SORTS[0]) == CustomerFilter()

    def chips(self, *, branch_name: str = "", owner_name: str = "") -> list[Chip]:
        """Each condition in words, as it may be taken off."""
        return [
            Chip(label, self._without(name).to_query())
            for name, label in self._clauses(branch_name or self.branch, owner_name or str(self.owner or ""))
        ]

    def _without(self, name: str) -> "CustomerFilter":
        default: Any = next(field.default for field in fields(self) if field.name == name)
        return replace(self, **{name: default})

    def sentence(self, *, branch_name: str = "", owner_name: str = "") -> str:
        """The whole filter in words: "Customers who are VIPs and have not come for 30 days"."""
        clauses = [label for _name, label in self._clauses(branch_name or self.branch, owner_name or str(self.owner))]
        if not clauses:
            return _("All customers")
        listed = clauses[0]
        if len(clauses) > 1:
            listed = _("%(first)s and %(last)s") % {"first": _(", ").join(clauses[:-1]), "last": clauses[-1]}
        return _("Customers who %(conditions)s") % {"conditions": listed}

    def _clauses(self, branch_name: str, owner_name: str) -> list[tuple[str, str]]:
        """Field and words of each condition in force, each as it stands after "who"."""
        said: Sequence[tuple[str, object, Callable[[], str | Promise]]] = (
            ("vip", self.vip, lambda: _("are VIPs")),
            ("value", self.value, lambda: _("are of value class %(value)s") % {"value": self.value}),
            ("stage", self.stage, lambda: _("are in the stage “%(stage)s”") % {"stage": STAGE_LABELS[self.stage]}),
            ("at_risk", self.at_risk, lambda: _("are at risk")),
            ("kind", self.kind, lambda: _("are of the kind “%(kind)s”") % {"kind": Customer.Kind(self.kind).label}),
            ("status", self.status, self._status_clause),
            ("branch", self.branch, lambda: _("belong to %(branch)s") % {"branch": branch_name}),
            ("owner", self.owner is not None, lambda: _("are looked after by %(owner)s") % {"owner": owner_name}),
            ("unseen_days", self.unseen_days is not None, self._unseen_clause),
            ("seen_since", self.seen_since, lambda: _("came since %(day)s") % {"day": formats.day(self.seen_since)}),
            (
                "seen_until",
                self.seen_until,
                lambda: _("last came until %(day)s") % {"day": formats.day(self.seen_until)},
            ),
            (
                "registered_since",
                self.registered_since,
                lambda: _("were registered since %(day)s") % {"day": formats.day(self.registered_since)},
            ),
            (
                "registered_until",
                self.registered_until,
                lambda: _("were registered until %(day)s") % {"day": formats.day(self.registered_until)},
            ),
            (
                "consent",
                self.consent,
                lambda: _("allow marketing by “%(channel)s”") % {"channel": Consent.Channel(self.consent).label},
            ),
            ("q", self.q, lambda: _("match “%(text)s”") % {"text": self.q}),
        )
        return [(name, str(words())) for name, given, words in said if given]

    def _status_clause(self) -> str:
        if self.status == ALL_STATUSES:
            return _("are active, archived or blocked")
        return _("are “%(status)s”") % {"status": Customer.Status(self.status).label}

    def _unseen_clause(self) -> str:
        days = self.unseen_days or 0
        return ngettext("have not come for %(days)s day", "have not come for %(days)s days", days) % {
            "days": formats.count(days)
        }


def _one_of(text: str, choices: Sequence[str]) -> str:
    return text if text in choices else ""


def _number(text: str, *, most: int) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 12 and int(text) <= most else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
