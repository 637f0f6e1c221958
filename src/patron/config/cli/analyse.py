"""`patron analyse`: run the analyses now, in this process."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from patron.config.cli.refresh import progress_bar
from patron.config.cli.root import CommandError
from patron.config.cli.session import installation

if TYPE_CHECKING:
    from patron.intelligence.insights.suite import Outcome

_STYLES = {"promoted": "green", "kept_back": "yellow", "refused": "yellow", "failed": "bold red"}

app = typer.Typer(add_completion=False)
console = Console(highlight=False)


@app.command(help="Run the analyses on the refreshed figures: all of them, or those named with what they need.")
def analyse(
    names: Annotated[list[str] | None, typer.Argument(help="Analyses; all of them by default.")] = None,
) -> None:
    """Run them one after the other; each is published as it ends. Exit code 1 when one failed."""
    with installation():
        from patron.intelligence.insights.analyses.registry import analyses
        from patron.intelligence.insights.suite import run_analyses
        from patron.kernel import clock

        if unknown := sorted(set(names or ()) - set(analyses())):
            raise CommandError(
                f"There is no analysis {', '.join(unknown)}; there are: {', '.join(sorted(analyses()))}."
            )
        with progress_bar() as bar:
            shown = bar.add_task("look", total=None)

            def tell(name: str, done: int, of: int) -> None:
                bar.update(shown, description=name, completed=done, total=of)

            outcomes = run_analyses(now=clock.now(), names=names or None, progress=tell)
    console.print(_table(outcomes))
    if any(outcome.status == "failed" for outcome in outcomes):
        raise typer.Exit(1)


def _table(outcomes: "tuple[Outcome, ...]") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for heading in ("Analysis", "Result", "Seconds", ""):
        table.add_column(heading, justify="right" if heading == "Seconds" else "left")
    for outcome in outcomes:
        style = _STYLES.get(outcome.status, "")
        table.add_row(
            outcome.name, f"[{style}]{outcome.status.replace('_', ' ')}[/]", f"{outcome.seconds:.1f}", outcome.why
        )
    return table
