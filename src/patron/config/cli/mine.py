"""``patron mine``: the models on plain files, without a database and without Django.

Each model of the registry becomes a command; its options are the model's parameters.
"""

from __future__ import annotations

import csv
import datetime as dt
import inspect
import json
import math
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from patron.intelligence.mining import plain_files, plain_results
from patron.intelligence.mining.contract import Model, ModelResult, Parameters, parameter_infos
from patron.intelligence.mining.errors import InputError, MiningError
from patron.intelligence.mining.plain_tables import TableCounts, opened_table
from patron.intelligence.mining.registry import models
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.transactions import Role, prepare

app = typer.Typer(
    name="mine",
    help="Ask a mining model a question about a plain file.",
    add_completion=False,
    rich_markup_mode=None,
)
out: Final = Console()
err: Final = Console(stderr=True)

Input = Annotated[Path, typer.Option("--input", help="The file: .csv, .tsv, .txt or .parquet.")]
Columns = Annotated[str, typer.Option("--columns", help="Which column is what: role=column,role=column,…")]
Output = Annotated[Path | None, typer.Option("--output", help="Where results go: .csv or .parquet.")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Where the report goes, as JSON.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="Day up to which is looked, YYYY-MM-DD; default: the latest in the file.")
]
DateFormat = Annotated[str | None, typer.Option("--date-format", help="How dates are written, e.g. %d/%m/%Y.")]
Encoding = Annotated[str, typer.Option("--encoding", help="Of a CSV file, e.g. big5hkscs or gb18030.")]


@app.callback(invoke_without_command=True)
def list_models(context: typer.Context) -> None:
    """List the models with the question each answers."""
    if context.invoked_subcommand is not None:
        return
    table = Table("Model", "Question", box=None, pad_edge=False)
    for name, model in models().items():
        table.add_row(name, model.card.question)
    out.print(table)
    out.print("\npatron mine MODEL --help explains its columns and parameters.", highlight=False)


def _command(model: Model[Any]) -> Callable[..., None]:
    """The command of a model: the file options, then one option per parameter."""

    def run(
        input_file: Path,
        columns: str,
        output: Path | None,
        report: Path | None,
        as_of: str | None,
        date_format: str | None,
        encoding: str,
        **options: Any,
    ) -> None:
        many = {role.name: _listed(options.pop(role.name)) for role in model.card.roles if role.many}
        try:
            if output:
                plain_results.check_output(output)
            if report:
                plain_results.check_folder(report)
            result, remarks = _mine(
                model,
                input_file,
                columns=columns,
                as_of=_day(as_of),
                date_format=date_format,
                encoding=encoding,
                many=many,
                parameters=model.parameters(**options),
            )
            if output:
                plain_results.write_table(result.table, output)
            if report:
                plain_results.write_text(
                    json.dumps(_strict(result.report.as_json()), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
                    report,
                )
        except (MiningError, OSError) as error:
            err.print(f"Error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(code=2) from None
        for remark in (*remarks, *result.report.notes):
            err.print(remark, style="yellow", markup=False, highlight=False, soft_wrap=True)
        _show(result, output)

    signature, hints = _signature(model)
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = hints
    return run


def _signature(model: Model[Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    empty = inspect.Parameter.empty
    parameters = model.parameters
    named_by_role = any(role.required and not role.many for role in model.card.roles)
    options: list[tuple[str, Any, Any]] = [
        ("input_file", Input, empty),
        ("columns", Columns, empty if named_by_role else ""),
        ("output", Output, None),
        ("report", ReportFile, None),
        ("as_of", AsOf, None),
        ("date_format", DateFormat, None),
        ("encoding", Encoding, "utf-8"),
    ]
    for role in model.card.roles:
        if role.many:
            kind = Annotated[str, typer.Option(f"--{role.name}", help=f"Columns, separated by commas: {role.meaning}.")]
            options.append((role.name, kind, empty if role.required else ""))
    defaults = parameters().as_dict()
    types = typing.get_type_hints(parameters)
    for name, info in parameter_infos(parameters).items():
        text = f"{info.doc} ({' | '.join(info.choices)})" if info.choices else info.doc
        options.append((name, Annotated[types[name], typer.Option(help=text)], defaults[name]))
    keyword = inspect.Parameter.KEYWORD_ONLY
    return (
        inspect.Signature(
            [inspect.Parameter(name, keyword, default=default, annotation=kind) for name, kind, default in options]
        ),
        {name: kind for name, kind, _ in options},
    )


def _mine(
    model: Model[Any],
    path: Path,
    *,
    columns: str,
    many: Mapping[str, Sequence[str]],
    as_of: dt.date | None,
    date_format: str | None,
    encoding: str,
    parameters: Parameters,
) -> tuple[ModelResult, tuple[str, ...]]:
    named = plain_files.parse_columns(columns) if columns.strip() else {}
    counts: plain_files.ReadCounts | TableCounts
    if model.card.reads == "table":
        with opened_table(
            path, named, roles=model.card.roles, many=many, date_format=date_format, encoding=encoding
        ) as (rows, counts):
            result = model.run(rows, as_of=as_of or _latest(rows, model.card.roles), parameters=parameters)
        return result.with_rows(counts.as_rows()), counts.remarks
    with plain_files.opened(path, named, date_format=date_format, encoding=encoding) as (transactions, counts):
        purchases = prepare(transactions)
        last, come = purchases.last_on, purchases.until(_today()).last_on
        day = as_of or come or last
        if day is None:
            raise InputError(f"{path} has no rows; say which day results are for with --as-of.")
        result = model.run(purchases, as_of=day, parameters=parameters)
    remarks = counts.remarks
    if not as_of and last and last > day:
        remarks = (
            *remarks,
            f"Rows dated after {day}, up to {last}, are to come and not looked at; --as-of takes more.",
        )
    return result.with_rows(counts.as_rows()), remarks


def _latest(rows: Rows, roles: Sequence[Role]) -> dt.date:
    """The latest day of the rows that is not to come; today where they have no days."""
    today = _today()
    days = [rows.table[role.name] for role in roles if role.kind == "date" and rows.has(role.name)]
    found = [day.max(where=day <= today).to_pyarrow().as_py() for day in days]
    return max((day for day in found if day), default=today)


def _today() -> dt.date:
    return dt.datetime.now(tz=dt.UTC).astimezone().date()


def _strict(value: object) -> object:
    """What strict JSON can hold: a number without end, or that is none, is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _strict(each) for key, each in value.items()}
    return [_strict(each) for each in value] if isinstance(value, list) else value


def _listed(text: str) -> list[str]:
    """The columns of an option such as ``--features visits,spend``."""
    return [part.strip() for part in next(csv.reader([text], skipinitialspace=True), []) if part.strip()]


def _day(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--as-of is {text!r}; write it as YYYY-MM-DD, e.g. 2025-03-31.") from None


def _show(result: ModelResult, output: Path | None) -> None:
    report = result.report
    table = Table("Figure", "Value", title=f"{report.model} as of {report.as_of}", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for name, value in report.metrics.items():
        shown = "–" if value is None else value if isinstance(value, str) else f"{value:,}"
        table.add_row(name.replace("_", " "), shown)
    out.print(table)
    if output:
        out.print(f"{report.rows['result']:,} rows written to {output}", markup=False, highlight=False, soft_wrap=True)


def _help(model: Model[Any]) -> str:
    card = model.card
    columns = [_role_help(role) for role in card.roles]
    return "\n\n".join(
        [
            card.question,
            card.method,
            "\b\n" + "\n".join(["Columns (--columns role=column,…):", *columns]),
            "\b\n" + "\n".join(["Limits:", *(f"  {limit}" for limit in card.limits)]),
            f"Source: {card.source}",
        ]
    )


def _role_help(role: Role) -> str:
    how = f"--{role.name} a,b,c" if role.many else ""
    said = ", ".join(each for each in ("" if role.required else "optional", how) if each)
    return f"  {role.name}{f' ({said})' if said else ''}: {role.meaning}"


for _name, _model in models().items():
    app.command(_name, help=_help(_model), short_help=_model.card.question)(_command(_model))


if __name__ == "__main__":
    app()
