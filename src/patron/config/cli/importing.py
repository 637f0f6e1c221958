"""`patron import`: a file goes in, and what became of every row is told."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from patron.config.cli.refresh import progress_bar
from patron.config.cli.root import CommandError
from patron.config.cli.session import installation

if TYPE_CHECKING:
    from patron.kernel.intake.reports import Report

app = typer.Typer(add_completion=False)
console = Console(highlight=False)

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ACTIONS = {"reject": "to the error file", "skip": "left out", "fix": "mended", "note": "noted"}


@app.command(
    name="import", help="Import a file: CSV (any encoding), XLSX or Parquet. The same file again adds nothing."
)
def import_(
    kind: Annotated[str, typer.Argument(help="customers, products, branches, purchases …")],
    file: Annotated[Path, typer.Argument(help="The file.")],
    mapping: Annotated[str, typer.Option(help="Use the column mapping saved under this name.")] = "",
    save_mapping: Annotated[
        str, typer.Option(help="Save the columns under this name, for files that come again.")
    ] = "",
    column: Annotated[
        list[str] | None, typer.Option(help="Which column holds what: --column phone=手機. Others are guessed.")
    ] = None,
    option: Annotated[list[str] | None, typer.Option(help="A choice of this import: --option date_order=dmy")] = None,
    source: Annotated[str, typer.Option(help="The system that the file comes from, where several are in use.")] = "",
    encoding: Annotated[
        str, typer.Option(help="Of a text file, for example big5 or gb18030; found out otherwise.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what importing would do.")] = False,
    errors: Annotated[Path | None, typer.Option(help="Where to put the rows that did not go in.")] = None,
) -> None:
    """Import, or go on with an import that was interrupted."""
    columns, options = _pairs(column, "--column"), _pairs(option, "--option")
    if not file.is_file():
        raise CommandError(f"{file} is not a file.")
    with installation():
        from patron.kernel import clock
        from patron.kernel.actor import system
        from patron.kernel.intake.engine import import_file

        with progress_bar() as bar:
            shown = bar.add_task("reading", total=None)

            def tell(phase: str, done: int, of: int) -> None:
                bar.update(shown, description=phase, completed=done, total=of or None)

            report = import_file(
                kind, file.absolute(), actor=system("import"), now=clock.now(), columns=columns, mapping_name=mapping,
                options=options, source=source, encoding=encoding, dry_run=dry_run, progress=tell,
            )  # fmt: skip
        if save_mapping:
            from patron.kernel.intake import operations

            operations.save_mapping(
                importer=kind,
                name=save_mapping,
                columns=report.columns,
                options=options,
                actor=system("import"),
                now=clock.now(),
            )
    show_report(report, errors=errors)


def show_report(report: "Report", *, errors: Path | None) -> None:
    """Counts of rows and things, what was found dirty, and the first errors; the error file goes to `errors`."""
    console.print(f"[bold]{report.importer}[/]: {report.rows:,} rows ({escape(_format_of(report))})")
    if report.resumed_from:
        console.print(f"Went on after row {report.resumed_from:,}, where an earlier run had ended.")
    console.print(
        f"  {report.accepted:,} go in, {report.rejected:,} rejected, {report.skipped:,} left out", highlight=True
    )
    if report.new is not None and report.status != "done":
        console.print(f"  {report.new:,} would be new, {report.known or 0:,} are on file already")
    if report.status == "done":
        made = "".join(f", {number:,} {name} made on the way" for name, number in report.created.items() if number)
        console.print(
            f"  {report.added:,} added, {report.updated:,} updated, {report.unchanged:,} unchanged{made}; "
            f"{report.seconds:.1f} s ({report.rows / max(report.seconds, 0.001):,.0f} rows/s)"
        )
    _show_columns(report)
    _show_treatments(report)
    _show_errors(report)
    _keep_errors(report, errors)


def _format_of(report: "Report") -> str:
    found = report.detected
    parts = [found.get("format", ""), found.get("encoding", "")]
    if delimiter := found.get("delimiter"):
        parts.append(f"separated by {_DELIMITERS.get(delimiter, delimiter)}")
    return ", ".join(part for part in parts if part)


def _show_columns(report: "Report") -> None:
    guessed = [f"{field} ← {header}" for field, header in report.columns.items() if not report.guessed.get(field, True)]
    if guessed:
        console.print(f"  Guessed columns: {escape('; '.join(guessed))}. Name them with --column if they are wrong.")


def _show_treatments(report: "Report") -> None:
    if not report.treatments:
        return
    table = Table(box=None, padding=(0, 2))
    for heading, justify in (("rows", "right"), ("what", "left"), ("was", "left")):
        table.add_column(heading, justify=justify, header_style="dim")  # type: ignore[arg-type] # of rich's literals
    for line in report.treatments:
        table.add_row(f"{line.rows:,}", escape(line.label), _ACTIONS.get(line.action, line.action))
    console.print(table)


def _show_errors(report: "Report") -> None:
    if not report.errors:
        return
    table = Table(title="The first errors", title_justify="left", box=None, padding=(0, 2))
    for heading in ("row", "column", "value", "what to do"):
        table.add_column(heading, header_style="dim")
    for error in report.errors[:10]:
        table.add_row(f"{error.row:,}", escape(error.column), escape(error.value[:40]), escape(error.message))
    console.print(table)


def _keep_errors(report: "Report", errors: Path | None) -> None:
    if not report.error_file:
        return
    kept = Path(report.error_file)
    if errors is not None:
        shutil.copyfile(kept, errors)
        kept = errors
    console.print(f"Rows that did not go in, each with its reason: {kept}")


def _pairs(given: Sequence[str] | None, what: str) -> dict[str, str]:
    """`name=value` options as a dictionary."""
    pairs: dict[str, str] = {}
    for entry in given or ():
        name, equals, value = entry.partition("=")
        if not equals or not name.strip():
            raise CommandError(f"{what} {entry}: write it like {what} name=value")
        pairs[name.strip()] = value.strip()
    return pairs
