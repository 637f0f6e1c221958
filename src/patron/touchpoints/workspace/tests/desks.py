"""A small house with the results of analyses, and the desk of a reader in it: what tests of their pages begin with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.http import QueryDict

from patron.intelligence.insights.analyses.contract import INSIGHTS, Analysis, Context, Findings
from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse, open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, published
from patron.kernel.actor import system
from patron.touchpoints.workspace.analyses.contract import Answer, ChartPart, TablePart, Who
from patron.touchpoints.workspace.analyses.desk import Desk, Run

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
Changed = Mapping[str, Mapping[str, int | float | str | bool]]
Shop = tuple[Warehouse, Run]
"""A house and the run of the one analysis that it was made for."""


def house(
    tmp_path_factory: pytest.TempPathFactory, tables: Tables, *, changed: Changed | None = None, as_of: date = AS_OF
) -> Context:
    """A published warehouse of these tables, ready for analyses; `changed` are the parameters that people changed.

    It remembers no answers: tests put other tables under the same names.
    """
    root = tmp_path_factory.mktemp("house") / "warehouse"
    published(root, tables)
    opened = open_warehouse(root)
    warehouse = Warehouse(opened.root, opened.manifest, opened.connection, opened.results)
    return Context(warehouse, as_of=as_of, currency="HKD", changed=changed or {})


def find(context: Context, analysis: Analysis) -> Findings:
    """Run the analysis; its tables can then be read from the warehouse. Large ones are given as the others are."""
    context.running = analysis.name
    findings = analysis.find(context)
    duck = context.warehouse.connection
    large = {name: duck.table(made).to_arrow_table() for name, made in findings.large.items()}
    findings = replace(
        findings,
        insights=large.pop(INSIGHTS, findings.insights),
        tables={**findings.tables, **large},
    )
    for name, table in findings.tables.items():
        duck.register(name, table)
    return findings


def run_of(findings: Findings, *, as_of: date = AS_OF, until: date | None = None) -> Run:
    """What a page is told of the run that found this."""
    return Run(as_of=as_of, until=until, parameters=findings.parameters, metrics=findings.metrics, notes=findings.notes)


def shop_with(
    analysis: Analysis,
    tmp_path_factory: pytest.TempPathFactory,
    tables: Tables,
    *,
    changed: Mapping[str, int | float | str | bool] | None = None,
    of: str = "",
) -> Shop:
    """A house in which the analysis has run; `changed` are parameters of its model, or of the model `of`."""
    context = house(tmp_path_factory, tables, changed={of or analysis.name: changed} if changed else None)
    findings = find(context, analysis)
    return context.warehouse, run_of(findings, until=context.until)


def desk_in(warehouse: Warehouse, run: Run, query: str = "", branch: int | None = None) -> Desk:
    """The desk of a reader of the whole house or of a branch, who chose what stands in the address."""
    return Desk(
        warehouse=warehouse, scope=Scope(branch), place="", currency="HKD", as_of=AS_OF, actor=system("test"),
        query=QueryDict(query), run=run,
    )  # fmt: skip


def table_of(answer: Answer, key: str) -> TablePart:
    """The table with this key; fails where there is none."""
    return next(part for part in answer.parts if isinstance(part, TablePart) and part.key == key)


def tables_of(answer: Answer) -> list[TablePart]:
    """All tables of a page."""
    return [part for part in answer.parts if isinstance(part, TablePart)]


def charts_of(answer: Answer) -> list[ChartPart]:
    """All pictures of a page."""
    return [part for part in answer.parts if isinstance(part, ChartPart)]


def shown_in(part: TablePart) -> set[int]:
    """The customers of the rows that a table shows."""
    return {cell.customer_id for row in part.rows for cell in row if isinstance(cell, Who)}
