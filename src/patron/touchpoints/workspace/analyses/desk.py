"""What a page of an analysis works with: the figures, who reads them, and what the reader chose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from django.http import QueryDict
from django.utils.translation import gettext as _

from patron.intelligence.reports.scope import Scope
from patron.intelligence.reports.slices import Fetch
from patron.intelligence.warehouse.reader import Warehouse
from patron.kernel.actor import Actor
from patron.touchpoints.workspace.analyses.contract import Control, Words

PASSED = "from"
ROWS = 50
"""Rows of a list that a page shows before it leads to the next ones."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """The run whose results are shown: with what, as of which day, and its figures. Empty where nothing has run.

    `until` is the last whole day of trade that it knew.
    """

    as_of: date | None = None
    until: date | None = None
    computed_at: datetime | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Run:
        """From what the store of the results remembers of the run."""
        return cls(
            as_of=date.fromisoformat(told["as_of"]),
            until=date.fromisoformat(told.get("until", told["as_of"])),
            computed_at=datetime.fromisoformat(told["computed_at"]),
            parameters=told["parameters"],
            metrics=told["metrics"],
            notes=tuple(told["notes"]),
        )


class Desk:
    """One reader's view of one page.

    `choice`, `number` and `flag` read what the reader chose and show the control for it, in the order of the calls.
    """

    def __init__(
        self,
        *,
        warehouse: Warehouse,
        scope: Scope,
        place: str,
        currency: str,
        as_of: date,
        actor: Actor,
        query: QueryDict,
        run: Run,
    ) -> None:
        self.warehouse = warehouse
        self.scope = scope
        self.place = place
        self.currency = currency
        self.as_of = run.as_of or as_of
        self.until = run.until or self.as_of
        self.actor = actor
        self.query = query
        self.run = run
        self.controls: list[Control] = []

    def has(self, *tables: str) -> bool:
        """Whether the warehouse holds these tables or marts."""
        return set(tables) <= set(self.warehouse.names)

    def choice(self, name: str, options: Mapping[str, Words], default: str | None = None, *, label: Words = "") -> str:
        """One of `options` (key → words); the default (the first, when none is given) for anything else."""
        fallback = default if default is not None else next(iter(options))
        asked = self.query.get(name, fallback)
        value = asked if asked in options else fallback
        self.controls.append(Control(name, label or _("Show"), value, "choice", options=tuple(options.items())))
        return value

    def number(
        self,
        name: str,
        default: float,
        minimum: float | None = None,
        maximum: float | None = None,
        *,
        label: Words = "",
        whole: bool = False,
    ) -> float:
        """A number within its bounds; one that cannot be read is the default, one out of bounds the bound."""
        text = self.query.get(name, "").replace(",", "").strip()
        try:
            value = float(text) if text else float(default)
        except ValueError:
            value = float(default)
        if math.isnan(value):
            value = float(default)
        value = value if minimum is None else max(value, minimum)
        value = value if maximum is None else min(value, maximum)
        value = float(round(value)) if whole else value
        shown = int(value) if value.is_integer() else value
        step = "1" if whole else "any"
        self.controls.append(Control(name, label or name, shown, "number", minimum=minimum, maximum=maximum, step=step))
        return value

    def flag(self, name: str, default: bool = False, *, label: Words = "") -> bool:
        """Yes or no."""
        options = {"yes": _("yes"), "no": _("no")}
        return self.choice(name, options, "yes" if default else "no", label=label) == "yes"

    def skipped(self) -> int:
        """How many rows of its list the reader has passed: `from` in the address, which the pager sets."""
        asked = self.query.get(PASSED, "")
        return int(asked) if asked.isdecimal() and len(asked) < 10 else 0

    def more(self, fetch: Fetch[T], *, at_most: int = ROWS) -> tuple[Sequence[T], str]:
        """The rows of its list from where the reader stands, and the address of those after them, empty at the end.

        One row more than is shown is fetched: only if it is there does the page lead on.
        """
        skip = self.skipped()
        found = fetch(skip=skip, limit=at_most + 1)
        following = self.url(**{PASSED: str(skip + at_most)}) if len(found) > at_most else ""
        return found[:at_most], following

    def url(self, **changes: str | None) -> str:
        """The page with some choices changed, those that are None taken out."""
        query = self.query.copy()
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query[name] = value
        return f"?{query.urlencode()}"
