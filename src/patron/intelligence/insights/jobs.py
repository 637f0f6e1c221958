"""The refresh as a job: every hour, and when somebody asks."""

import structlog

from patron.kernel import clock, jobs

log = structlog.get_logger(__name__)


@jobs.job(name="insights.refresh", lock="insights.refresh", queueing_lock="insights.refresh", retry=False)
def refresh_insights() -> None:
    """Bring warehouse, marts and published insights up to date."""
    from patron.intelligence.insights.refresh import refresh
    from patron.intelligence.warehouse.errors import RefreshRunning

    try:
        report = refresh(now=clock.now())
    except RefreshRunning:
        log.info("refresh_already_running")
        return
    log.info("refreshed", mode=report.mode, version=report.version, rows=report.rows_read, seconds=report.total_seconds)


@jobs.periodic(cron="7 * * * *", periodic_id="hourly")
@jobs.job(name="insights.refresh_hourly", lock="insights.refresh", queueing_lock="insights.refresh_hourly", retry=False)
def refresh_hourly(timestamp: int) -> None:  # noqa: ARG001 (given to every periodic job)
    """The hourly refresh."""
    refresh_insights()
