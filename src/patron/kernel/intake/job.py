"""The worker's part: importing in the background."""

from patron.kernel import clock
from patron.kernel.actor import system
from patron.kernel.errors import DomainError
from patron.kernel.jobs import job


@job(name="kernel.intake", queue="imports", retry=False)
def import_in_background(run_id: int) -> None:
    """Import the file of run `run_id`. A refusal is written on the run, where its page shows it."""
    from patron.kernel.intake.engine import run_import

    try:
        run_import(run_id, actor=system("import"), now=clock.now())
    except DomainError:
        return
