"""Finding a customer by anything one may type: name, pinyin, initials, phone tail, card number, e-mail."""

from patron.core.customers.search.find import Found, exact_ids, matching_ids, name_conditions, search_customers
from patron.core.customers.search.providers import TermProvider, register_term_provider
from patron.core.customers.search.refresh import (
    complete_search_terms,
    refresh_search_terms,
    refresh_search_terms_from,
)

__all__ = [
    "Found",
    "TermProvider",
    "complete_search_terms",
    "exact_ids",
    "matching_ids",
    "name_conditions",
    "refresh_search_terms",
    "refresh_search_terms_from",
    "register_term_provider",
    "search_customers",
]
