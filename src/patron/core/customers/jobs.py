"""Work for later on customers' files."""

from django.db import transaction

from patron.core.customers.search import complete_search_terms
from patron.kernel.jobs import job, periodic


@periodic(cron="*/10 * * * *", periodic_id="customers.complete_search_terms")
@job(name="customers.complete_search_terms", lock="customers.search", queueing_lock="customers.search")
def complete_terms(timestamp: int | None = None) -> None:  # noqa: ARG001 (a periodic job's)
    """Make customers findable whom an import left without search terms because it was stopped before its end."""
    with transaction.atomic():
        complete_search_terms()
