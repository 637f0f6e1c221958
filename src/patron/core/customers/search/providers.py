"""Where search terms come from beyond the customer's own rows: rooms above register their numbers here."""

from dataclasses import dataclass

from patron.kernel.registries import Registry


@dataclass(frozen=True, slots=True)
class TermProvider:
    """Codes under which a customer may be found, such as card numbers.

    `select` is a SELECT of two columns, the customer's id and one code as text, with the marker
    `{customers}` where the condition on the customer column belongs: it is filled in as `= ANY(…)` or `IN (SELECT …)`.
    Example: `SELECT customer_id, card_number FROM loyalty_membership WHERE customer_id {customers}`.
    The code is found whole (spaces, hyphens and case do not matter) and by its last four characters.
    """

    name: str
    select: str


term_providers: Registry[TermProvider] = Registry("search term provider", name=lambda provider: provider.name)


def register_term_provider(provider: TermProvider) -> TermProvider:
    """Declare in a room's `handlers.py` that its codes find customers."""
    if "{customers}" not in provider.select:
        raise ValueError(f"term provider {provider.name!r} needs the marker {{customers}} in its SELECT")
    return term_providers.register(provider)
