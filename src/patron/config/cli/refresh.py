"""`patron refresh`: extract, mine, publish."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from patron.config.cli.session import installation

if TYPE_CHECKING:
    from patron.intelligence.insights.refresh import RefreshReport

# The figures of a model's run that a line of the report has room for.
_HEADLINES = {
    "customers": ("customers", ",d"),
    "revenue": ("revenue", ",.2f"),
    "vip_count": ("VIPs", ",d"),
    "vip_share_of_worth": ("with", ".1%"),
    "class_a_count": ("80 % from", ",d"),
    "active": ("active", ",d"),
    "at_risk": ("at risk", ",d"),
    "lost": ("lost", ",d"),
}

app = typer.Typer(add_completion=False)
console = Console(highlight=False)


@app.command(help="Bring the warehouse and all insights up to date with the database.")
def refresh(
    full: Annotated[bool, typer.Option("--full", help="Read everything anew, not only what has changed.")] = False,
) -> None:
    """Refresh now, in this process, whether the product runs or not."""
    with installation():
        show_report(refresh_with_progress(full=full))


def refresh_with_progress(*, full: bool = False) -> "RefreshReport":
    """Run a refresh with a progress bar on a terminal. Needs Django set up."""
    from patron.intelligence.insights.refresh import refresh as run
    from patron.kernel import clock

    with progress_bar() as bar:
        shown = bar.add_task("look", total=None)

        def tell(step: str, done: int, of: int) -> None:
            bar.update(shown, description=step, completed=done, total=of or None)

        return run(now=clock.now(), full=full, progress=tell)


def show_report(report: "RefreshReport") -> None:
    """What the refresh did: what was read, what agrees, what the models say, where the time went."""
    why = f" ({report.reason})" if report.reason else ""
    console.print(
        f"[bold]Refreshed as of {report.as_of}[/]: {report.mode}{why}, {report.rows_read:,} rows read, "
        f"version {report.version}, {report.total_seconds:.1f} s."
    )
    rows = sum(int(totals["count"]) for totals in report.totals.values())
    console.print(f"  Database and warehouse agree: {len(report.totals)} tables, {rows:,} rows.")
    for total, what in report.differences.items():
        console.print(f"  [yellow]They did not before everything was read anew[/]: {total}: {what}")
    if report.models:
        console.print(_models(report))
    if report.mode != "unchanged" or report.mined:
        spent = sorted(report.seconds.items(), key=lambda step: -step[1])
        console.print("  Seconds: " + ", ".join(f"{step} {seconds:.1f}" for step, seconds in spent if seconds >= 0.05))


def _models(report: "RefreshReport") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for heading in ("  Model", "says", "new", "changed", "removed", "as before"):
        table.add_column(heading, justify="left" if heading in {"  Model", "says"} else "right")
    for model in report.models:
        counts = (model.added, model.changed, model.removed, model.unchanged)
        table.add_row(f"  {model.model}", _headline(model.metrics), *(f"{count:,}" for count in counts))
    return table


def _headline(metrics: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{label} {metrics[name]:{form}}" for name, (label, form) in _HEADLINES.items() if metrics.get(name) is not None
    )


def progress_bar() -> Progress:
    """The look of every progress bar of the command: gone when it is done, absent where nobody watches."""
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        transient=True, console=Console(stderr=True), disable=not Console(stderr=True).is_terminal,
    )  # fmt: skip
