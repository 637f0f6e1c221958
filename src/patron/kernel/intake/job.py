"""The worker's part: importing in the background."""

from datetime import timedelta

from patron.kernel import clock
from patron.kernel.actor import system
from patron.kernel.errors import DomainError
from patron.kernel.jobs import job, periodic

_LEFT_ALONE_FOR = timedelta(minutes=1)
_KEPT_FOR = timedelta(days=7)


@job(name="kernel.intake", queue="imports", retry=False)
def import_in_background(run_id: int) -> None:
    """Import the file of run `run_id`. A refusal is written on the run, where its page shows it."""
    from patron.kernel.intake.engine import run_import

    try:
        run_import(run_id, actor=system("import"), now=clock.now())
    except DomainError:
        return


@job(name="kernel.intake.check", queue="imports", retry=False)
def check_in_background(run_id: int) -> None:
    """Dry-run the file of run `run_id`. A refusal is written on the run, where its page shows it."""
    from patron.kernel.intake.engine import check_run
    from patron.kernel.intake.operations import end_check

    refused = ""
    try:
        check_run(run_id, actor=system("import"), now=clock.now())
    except DomainError as error:
        refused = str(error)
    end_check(run_id=run_id, refused=refused, actor=system("import"), now=clock.now())


@periodic(cron="* * * * *")
@job(name="kernel.intake.resume", queue="imports", queueing_lock="kernel.intake.resume", retry=False)
def resume_abandoned(timestamp: int) -> None:  # noqa: ARG001 (given by the scheduler)
    """Go on with runs whose worker was killed: they call themselves running, but nobody holds their file."""
    from patron.kernel.intake.engine import run_import
    from patron.kernel.intake.queries import get_background_runs

    for run_id in get_background_runs(started_before=clock.now() - _LEFT_ALONE_FOR):
        try:
            run_import(run_id, actor=system("import"), now=clock.now())
        except DomainError:
            continue


@periodic(cron="17 3 * * *")
@job(name="kernel.intake.tidy", queue="imports", queueing_lock="kernel.intake.tidy", retry=False)
def clear_abandoned(timestamp: int) -> None:  # noqa: ARG001 (given by the scheduler)
    """Clear what was prepared for runs that nobody finished within a week; they can still be begun anew."""
    from patron.kernel.intake import workspace
    from patron.kernel.intake.queries import get_unfinished_runs

    for run_id in get_unfinished_runs(created_before=clock.now() - _KEPT_FOR):
        workspace.clear(workspace.directory_of(run_id))
