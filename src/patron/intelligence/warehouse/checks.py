"""System checks over the exports: what rooms publish must fit their tables, before the first refresh."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register

from patron.kernel.exports import Export, exports


@register
def check_exports(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Every export names tables there are, tracks tables with `changed_xid`, and carries columns its parent has."""
    return problems(exports)


def problems(declared: Iterable[Export]) -> list[CheckMessage]:
    """What does not hold among `declared`."""
    tables = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    tracked = {name for name, model in tables.items() if any(f.column == "changed_xid" for f in model._meta.fields)}
    known = {export.name: export for export in declared}
    found: list[CheckMessage] = []
    for export in known.values():
        found += [
            _error(export, f"reads {table!r}, which is no table", "Name the model's db_table.", 1)
            for table in sorted({*export.tables, export.slice_table} - set(tables))
        ]
        found += [
            _error(export, f"tracks {table!r}, which has no changed_xid", "Derive its model from Tracked.", 2)
            for table in sorted(set(export.tracked) - tracked)
        ]
        if export.carried is None:
            if export.month_of not in {"", *(column.name for column in export.columns)}:
                found.append(_error(export, f"is split by {export.month_of!r}, which is no column", "Export it.", 5))
            continue
        parent = known.get(export.carried.parent)
        columns = {column.name for column in parent.columns} if parent else set()
        if missing := sorted({*export.carried.columns, export.carried.on} - columns):
            hint = f"Let {export.carried.parent} export them."
            found.append(_error(export, f"carries {', '.join(missing)}, which its parent lacks", hint, 3))
        elif parent and parent.tracked != export.tracked:
            found.append(_error(export, "does not follow its parent's changes", "Track the same tables.", 4))
        elif export.month_of not in {"", *(column.name for column in export.columns), *export.carried.columns}:
            found.append(_error(export, f"is split by {export.month_of!r}, which is no column", "Export it.", 5))
    return found


def _error(export: Export, what: str, hint: str, number: int) -> Error:
    return Error(f"export {export.name!r} {what}", hint=hint, id=f"patron.warehouse.E{number:03}")
