"""Names for rows that only say who acted: `staff:12`, `integration:3`, `system`."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from patron.core.accounts.models import IntegrationKey, Staff


def names_of_actors(references: Iterable[str]) -> dict[str, str]:
    """How each actor is called, by reference, in two queries at most. The unknown are called by their reference."""
    wanted = set(references)
    ids: dict[str, list[int]] = {"staff": [], "integration": []}
    for reference in wanted:
        kind, _colon, key = reference.partition(":")
        if kind in ids and key.isdigit():
            ids[kind].append(int(key))
    names = {reference: _("Automatic") if reference in ("", "system") else reference for reference in wanted}
    if ids["staff"]:
        rows = Staff.objects.filter(pk__in=ids["staff"]).values_list("pk", "name", "username")
        names |= {f"staff:{pk}": name or username for pk, name, username in rows}
    if ids["integration"]:
        keys = IntegrationKey.objects.filter(pk__in=ids["integration"]).values_list("pk", "name")
        names |= {f"integration:{pk}": name for pk, name in keys}
    return names
