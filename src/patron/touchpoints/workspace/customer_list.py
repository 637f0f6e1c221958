"""What the list of customers was asked for: filter, selection, columns; and the addresses that change one of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext, gettext_lazy

from patron.core.accounts.queries import get_visible_branches
from patron.core.customers.filters import CustomerFilter
from patron.core.customers.queries import choices
from patron.core.customers.queries.listing import CustomerRow
from patron.kernel.actor import Actor
from patron.kernel.ui.badges import STAGE_LABELS, VALUE_CLASS_LABELS
from patron.kernel.ui.shell import BranchChoice
from patron.touchpoints.workspace.queries import get_saved_views
from patron.touchpoints.workspace.selections import PARAMETER, Selected, selected

PAGE = "customers"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be chosen. `sort` names the order that its heading gives; `cell` is its value in a file."""

    code: str
    label: str | Promise
    cell: Callable[[CustomerRow, Mapping[str, str]], object]
    sort: str = ""
    numeric: bool = False
    shown: bool = True


COLUMNS: tuple[Column, ...] = (
    Column("number", gettext_lazy("Number"), lambda row, _words: row.number, sort="number"),
    Column("phone", gettext_lazy("Phone"), lambda row, _words: row.phone),
    Column("stage", gettext_lazy("Stage"), lambda row, words: words.get(f"stage {row.stage}", "")),
    Column("value", gettext_lazy("Class"), lambda row, _words: row.value_class),
    Column("sales", gettext_lazy("12-month sales"), lambda row, _words: row.score, sort="value", numeric=True),
    Column("last", gettext_lazy("Last visit"), lambda row, _words: row.last_visit_on, sort="last_visit"),
    Column("branch", gettext_lazy("Branch"), lambda row, _words: row.branch),
    Column("kind", gettext_lazy("Kind"), lambda row, words: words.get(f"kind {row.kind}", ""), shown=False),
    Column("since", gettext_lazy("Customer since"), lambda row, _words: row.registered_on, shown=False),
)
NAME = Column("name", gettext_lazy("Customer"), lambda row, _words: row.name, sort="name")
SHOWN = tuple(column.code for column in COLUMNS if column.shown)
BUILT_IN: tuple[tuple[str | Promise, CustomerFilter], ...] = (
    (gettext_lazy("Everyone"), CustomerFilter()),
    (gettext_lazy("VIPs"), CustomerFilter(vip=True)),
    (gettext_lazy("At risk"), CustomerFilter(at_risk=True)),
    (gettext_lazy("New"), CustomerFilter(stage="new")),
)


class ListRequest:
    """One look at the list by one actor. Nothing but the filter is read before a page asks for it."""

    def __init__(self, query: QueryDict, actor: Actor, branch: BranchChoice | None) -> None:
        self.actor = actor
        self.query = query
        self.branch_choice = branch
        self.wanted = CustomerFilter.from_query(query)
        self.address = reverse("customer-list")

    # --- what is listed ------------------------------------------------------------------------------------------

    @cached_property
    def branches(self) -> Sequence[tuple[str, str]]:
        """Code and name of the branches whose customers the actor may see."""
        return [(branch.code, branch.name) for branch in self._branch_rows]

    @cached_property
    def _branch_rows(self) -> Sequence[Any]:
        return get_visible_branches(self.actor)

    @cached_property
    def effective(self) -> CustomerFilter:
        """The filter with the branch of the top bar, unless the filter names one itself."""
        if self.wanted.branch or self.branch_choice is None or self.selected is not None:
            return self.wanted
        code = next((row.code for row in self._branch_rows if row.pk == self.branch_choice.id), "")
        return replace(self.wanted, branch=code)

    @cached_property
    def _selection(self) -> tuple[Mapping[str, str], Selected] | None:
        found = selected({name: str(value) for name, value in self.query.items()}, self.actor)
        if found is None:
            return None
        selection, chosen = found
        kept = {name: self.query.get(name, "") for name in (PARAMETER, *selection.parameters)}
        return {name: value for name, value in kept.items() if value}, chosen

    @property
    def selected(self) -> Selected | None:
        """The figure of a report that led here, if one did."""
        return self._selection[1] if self._selection else None

    @property
    def only(self) -> Sequence[int] | None:
        """The customers of that figure."""
        return self.selected.customer_ids if self.selected else None

    @cached_property
    def columns(self) -> Sequence[Column]:
        """The chosen columns, in their fixed order; the usual ones where none were chosen."""
        asked = set(self.query.get("columns", "").split(",")) & {column.code for column in COLUMNS}
        return [column for column in COLUMNS if column.code in (asked or SHOWN)]

    # --- addresses -----------------------------------------------------------------------------------------------

    def _kept(self, *, selection: bool = True) -> dict[str, str]:
        """What an address keeps beside the filter."""
        kept = dict(self._selection[0]) if self._selection and selection else {}
        codes = ",".join(column.code for column in self.columns)
        if codes != ",".join(SHOWN):
            kept["columns"] = codes
        return kept

    def _address(self, filter_query: str, **more: str) -> str:
        query = QueryDict(filter_query, mutable=True)
        query.update(more)
        text = query.urlencode()
        return f"{self.address}?{text}" if text else self.address

    @property
    def filter_query(self) -> str:
        """The query string of what is shown, without the place in it: what a saved view keeps."""
        return self._address(self.wanted.to_query(), **self._kept()).removeprefix(self.address).removeprefix("?")

    def page_url(self, **position: str) -> str:
        """The same list from a position on."""
        return self._address(self.wanted.to_query(), **self._kept(), **position)

    def export_url(self, file_format: str) -> str:
        """The list as a file."""
        return f"{reverse('customer-export', args=[file_format])}?{self.filter_query}"

    def hidden_fields(self, *names: str) -> Sequence[tuple[str, str]]:
        """What a form of the page must carry along beside the fields `names` that it has itself."""
        query = QueryDict(self.filter_query)
        return [(name, str(value)) for name, value in query.items() if name not in names]

    # --- parts of the page ---------------------------------------------------------------------------------------

    def chips(self) -> Sequence[dict[str, object]]:
        """Every condition in words, as it may be taken off; the figure of a report first."""
        told: list[dict[str, object]] = []
        if self.selected is not None:
            without = self._address(self.wanted.to_query(), **self._kept(selection=False))
            told.append({"label": self.selected.sentence, "url": without, "removes": True})
        names = dict(self.branches)
        in_force = self.wanted.chips(
            branch_name=names.get(self.wanted.branch, self.wanted.branch), owner_name=self.owner_name
        )
        told.extend(
            {"label": chip.label, "url": self._address(chip.without, **self._kept()), "removes": True}
            for chip in in_force
        )
        return told

    @property
    def owner_name(self) -> str:
        """Whose customers are asked for: oneself, or a colleague."""
        return self.actor.name if self.wanted.owner == self.actor.id else gettext("a colleague")

    @cached_property
    def views(self) -> Sequence[dict[str, Any]]:
        """Tabs: the ones everybody has, then one's own."""
        current = self.filter_query
        tabs: list[dict[str, Any]] = []
        for label, wanted in BUILT_IN:
            query = wanted.to_query()
            tabs.append({"label": label, "url": self._address(query), "current": query == current, "id": None})
        for view in get_saved_views(PAGE, self.actor):
            url = f"{self.address}?{view.query}"
            tabs.append({"label": view.name, "url": url, "current": view.query == current, "id": view.pk})
        return tabs

    @property
    def own_view(self) -> dict[str, Any] | None:
        """The saved view that is shown now."""
        return next((tab for tab in self.views if tab["current"] and tab["id"] is not None), None)

    def sentence(self) -> str:
        """The filter in words, as the name of a file or of a count."""
        names = dict(self.branches)
        wanted = self.effective
        return wanted.sentence(branch_name=names.get(wanted.branch, wanted.branch), owner_name=self.owner_name)


def column_words() -> Mapping[str, str]:
    """The words that a file's cells need, in the language of whoever asked for it."""
    words = {f"stage {code}": str(label) for code, label in STAGE_LABELS.items()}
    return words | {f"kind {code}": label for code, label in choices.kind_choices()}


def filter_choices(asked: ListRequest) -> Mapping[str, Sequence[tuple[str, str]]]:
    """What the filter form offers, field by field."""
    anything = ("", gettext("Any"))
    owners = [anything, (str(asked.actor.id or ""), gettext("Me"))]
    if asked.wanted.owner is not None and asked.wanted.owner != asked.actor.id:
        owners.append((str(asked.wanted.owner), asked.owner_name))
    return {
        "stage": [anything, *((code, str(label)) for code, label in STAGE_LABELS.items())],
        "value": [anything, *((code.upper(), str(label)) for code, label in VALUE_CLASS_LABELS.items())],
        "branch": [anything, *asked.branches],
        "kind": choices.kind_choices(),
        "kind_filter": [anything, *choices.kind_choices()],
        "owner": owners,
        "consent": [anything, *((c, label) for c, label in choices.consent_channel_choices() if c != "any")],
        "status": [("", gettext("Not archived")), *choices.status_choices(), ("all", gettext("All"))],
        "sort": [
            ("-value", gettext("Highest sales first")),
            ("-last_visit", gettext("Latest visit first")),
            ("last_visit", gettext("Longest away first")),
            ("name", gettext("By name")),
            ("number", gettext("By number")),
        ],
    }
