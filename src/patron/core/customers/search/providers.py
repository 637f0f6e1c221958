"""Codes under which customers are known in rooms above, such as card numbers: those rooms register them here."""

from dataclasses import dataclass

from patron.kernel.registries import Registry


@dataclass(frozen=True, slots=True)
class TermProvider:
    """Codes that find a customer: whole, and by their last four characters.

    `select` gives two columns, the customer's id and one code as text, with the marker `{customers}` where the
    condition on the customer column belongs:
    `SELECT customer_id, card_number FROM loyalty_card WHERE customer_id {customers}`.
    `find` gives the ids of the customers who have the code `%(code)s` (without spaces and hyphens, lower case),
    by an index: `SELECT customer_id FROM loyalty_card WHERE card_number = %(code)s`.
    """

    name: str
    select: str
    find: str


term_providers: Registry[TermProvider] = Registry("search term provider", name=lambda provider: provider.name)


def register_term_provider(provider: TermProvider) -> TermProvider:
    """Declare in a room's `handlers.py` that its codes find customers."""
    if "{customers}" not in provider.select or "%(code)s" not in provider.find:
        raise ValueError(f"term provider {provider.name!r} needs the marker {{customers}} and the parameter %(code)s")
    return term_providers.register(provider)
