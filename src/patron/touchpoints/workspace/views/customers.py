"""The list of customers, on screen and as a file."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase

from patron.core.customers.queries.api import get_insight_runs
from patron.core.customers.queries.listing import Count, count_customers, list_customers, walk_customers
from patron.kernel.clock import now as present
from patron.kernel.clock import today
from patron.kernel.downloads import FORMATS, download
from patron.kernel.errors import NotFound
from patron.kernel.ui.context import shell
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.customer_list import COLUMNS, NAME, ListRequest, column_words, filter_choices
from patron.touchpoints.workspace.operations import take_out_customers

FILTERED = ("stage", "value", "branch", "unseen_days", "consent", "owner", "kind", "status", "sort", "vip", "at_risk")
"""The fields of the filter form; what else is in force goes along with it."""

TEMPLATE = "workspace/pages/customer_list.html"


def _asked(request: PageRequest) -> ListRequest:
    query = request.GET.copy()
    if chosen := query.getlist("column"):  # the boxes of the column choice, ticked
        query["columns"] = ",".join(chosen)
    return ListRequest(query, request.actor, shell(request)["shell"].branch)


@page(permission="customers.view")
def customer_list(request: PageRequest) -> HttpResponseBase:
    """One page of the list. Searching, filtering, ordering, paging and columns are all in the address."""
    asked = _asked(request)
    day = today(present())
    count = count_customers(asked.effective, request.actor, today=day, only=asked.only)
    found = list_customers(
        asked.effective,
        request.actor,
        today=day,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        only=asked.only if count.ids is None else count.ids,
    )
    context: dict[str, Any] = {
        "asked": asked,
        "wanted": asked.wanted,
        "rows": found.rows,
        "count": _rounded(count),
        "sentence": asked.sentence(),
        "chips": asked.chips(),
        "views": asked.views,
        "columns": asked.columns,
        "name_label": NAME.label,
        "search_fields": asked.hidden_fields("q"),
        "filter_fields": asked.hidden_fields(*FILTERED),
        "column_fields": asked.hidden_fields("columns"),
        "owner_code": "" if asked.wanted.owner is None else str(asked.wanted.owner),
        "csv_url": asked.export_url("csv"),
        "xlsx_url": asked.export_url("xlsx"),
        "column_boxes": [(column, column in asked.columns) for column in COLUMNS],
        "choices": filter_choices(asked),
        "next_url": asked.page_url(after=found.after) if found.after else "",
        "previous_url": asked.page_url(before=found.before) if found.before else "",
        "figures_at": max((run.computed_at for run in get_insight_runs()), default=None),
        "currency": settings.CURRENCY,
        "today": day,
        "may_export": request.actor.can("customers.export"),
        "may_register": request.actor.can("customers.register"),
        "may_import": request.actor.can("imports.run"),
    }
    return show(request, TEMPLATE, context, fragment="list")


def _rounded(count: Count) -> dict[str, Any]:
    """The count as it is said: exact, or about, to two digits that mean something."""
    if count.exact:
        return {"number": count.number, "exact": True}
    unit = 10 ** max(len(str(count.number)) - 2, 0)
    return {"number": round(count.number / unit) * unit, "exact": False}


@page(permission="customers.export")
def customer_export(request: PageRequest, file_format: str) -> HttpResponseBase:
    """The filtered list as CSV or XLSX, with the columns on screen; what is masked there is masked here."""
    if file_format not in FORMATS:
        raise NotFound(details={"format": file_format})
    asked = _asked(request)
    now = present()
    take_out_customers(query=asked.filter_query, file_format=file_format, actor=request.actor, now=now)
    columns = (NAME, *asked.columns)
    words = column_words()
    wanted, only = asked.effective, asked.only

    def rows() -> Iterator[list[object]]:
        for row in walk_customers(wanted, request.actor, today=today(now), only=only):
            yield [column.cell(row, words) for column in columns]

    return download(
        name=f"customers-{today(now).isoformat()}",
        header=[str(column.label) for column in columns],
        rows=rows(),
        file_format=file_format,
    )
