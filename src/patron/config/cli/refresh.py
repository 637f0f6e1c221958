"""`patron refresh`: extract, mine, publish."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from patron.config.cli.session import installation

if TYPE_CHECKING:
    from patron.intelligence.insights.refresh import RefreshReport

app = typer.Typer()
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
    """What the refresh did, in a few lines."""
    why = f" ({report.reason})" if report.reason else ""
    console.print(
        f"Refreshed as of {report.as_of}: {report.mode}{why}, {report.rows_read:,} rows read, "
        f"version {report.version}, {report.total_seconds:.1f} s."
    )
    for model in report.models:
        console.print(
            f"  {model.model}: {model.added:,} new insights, {model.changed:,} changed, {model.removed:,} removed, "
            f"{model.unchanged:,} as before"
        )


def progress_bar() -> Progress:
    """The look of every progress bar of the command: gone when it is done, absent where nobody watches."""
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        transient=True, console=Console(stderr=True), disable=not Console(stderr=True).is_terminal,
    )  # fmt: skip
