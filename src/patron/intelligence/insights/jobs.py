"""The refresh every hour and the analyses every night, and both when somebody asks."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from patron.kernel import clock, jobs

if TYPE_CHECKING:
    from patron.intelligence.insights.suite import Outcome

log = structlog.get_logger(__name__)


@jobs.job(name="insights.refresh", lock="insights.refresh", queueing_lock="insights.refresh", retry=False)
def refresh_insights() -> None:
    """Bring warehouse, marts and published insights up to date."""
    from patron.intelligence.insights.queries import has_results
    from patron.intelligence.insights.refresh import refresh
    from patron.intelligence.warehouse.errors import RefreshRunning

    try:
        report = refresh(now=clock.now())
    except RefreshRunning:
        log.info("refresh_already_running")
        return
    if not has_results():
        jobs.defer_once(run_analyses_now)
    log.info("refreshed", mode=report.mode, version=report.version, rows=report.rows_read, seconds=report.total_seconds)


@jobs.periodic(cron="7 * * * *", periodic_id="hourly")
@jobs.job(name="insights.refresh_hourly", lock="insights.refresh", queueing_lock="insights.refresh_hourly", retry=False)
def refresh_hourly(timestamp: int) -> None:  # noqa: ARG001 (given to every periodic job)
    """The hourly refresh."""
    refresh_insights()


@jobs.job(name="insights.analyses", lock="insights.analyses", queueing_lock="insights.analyses", retry=False)
def run_analyses_now() -> None:
    """Run every analysis on the published warehouse."""
    from patron.intelligence.insights.suite import run_analyses
    from patron.intelligence.warehouse.errors import RefreshRunning, WarehouseMissing

    try:
        outcomes = run_analyses(now=clock.now())
    except (RefreshRunning, WarehouseMissing) as error:
        log.info("analyses_not_run", why=str(error))
        return
    log.info("analysed", seconds=sum(each.seconds for each in outcomes), **_counted(outcomes))


@jobs.periodic(cron="37 3 * * *", periodic_id="nightly")
@jobs.job(name="insights.analyses_nightly", lock="insights.analyses", queueing_lock="insights.nightly", retry=False)
def run_analyses_nightly(timestamp: int) -> None:  # noqa: ARG001 (given to every periodic job)
    """The nightly run: every model is fitted anew, tested by date, and promoted unless worse than its baseline."""
    run_analyses_now()


def _counted(outcomes: "Sequence[Outcome]") -> dict[str, int]:
    """How many of the outcomes ended how."""
    return dict(Counter(each.status for each in outcomes))
