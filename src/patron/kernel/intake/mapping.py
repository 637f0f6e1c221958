"""From the columns of a file to the fields of an importer: what was given, else what is guessed; what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.kernel.errors import InvalidInput
from patron.kernel.intake.contract import Importer, ImportOption, fields_of, options_of
from patron.kernel.intake.errors import ColumnsMissing
from patron.kernel.intake.guessing import Guess, guess

YES_NO = (("yes", "yes"), ("no", "no"))
ENGINE_OPTIONS = (
    ImportOption(
        "date_order",
        gettext_lazy("Order of day and month"),
        default="auto",
        choices=(("auto", "auto"), ("dmy", "31/1/2025"), ("mdy", "1/31/2025"), ("ymd", "2025/1/31")),
    ),
    ImportOption(
        "republic_years",
        gettext_lazy("Years of the Republic (民國)"),
        default="auto",
        choices=(("auto", "auto"), *YES_NO),
    ),
    ImportOption(
        "decimal_mark",
        gettext_lazy("Decimal mark"),
        default=".",
        choices=((".", "1,234.50"), (",", "1.234,50")),
    ),
)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """`columns` maps field names to headers of the file. `guesses` tells how those not given were found."""

    columns: dict[str, str]
    guesses: tuple[Guess, ...]


def map_columns(importer: Importer, headers: Sequence[str], given: Mapping[str, str] | None) -> ColumnMapping:
    """Columns for `importer`. Given ones hold (an empty header leaves the field out); others are guessed.

    Raises InvalidInput for a field or header that does not exist, ColumnsMissing where the mapping is not enough.
    """
    fields = fields_of(importer)
    given = dict(given or {})
    known, present = {field.name for field in fields}, set(headers)
    for field, header in given.items():
        if field not in known:
            raise InvalidInput(
                _("There is no field “%(name)s” in this import.") % {"name": field}, details={"field": field}
            )
        if header and header not in present:
            raise ColumnsMissing(
                _("The file has no column “%(name)s”. It has: %(headers)s.")
                % {"name": header, "headers": ", ".join(headers)},
                details={"column": header},
            )
    columns = {field: header for field, header in given.items() if header}
    free = [header for header in headers if header not in columns.values()]
    guesses = guess(free, [field for field in fields if field.name not in given])
    columns |= {found.field: found.header for found in guesses}
    _require(importer, columns, headers)
    return ColumnMapping({f.name: columns[f.name] for f in fields if f.name in columns}, tuple(guesses))


def _require(importer: Importer, columns: Mapping[str, str], headers: Sequence[str]) -> None:
    labels = {field.name: str(field.label) for field in fields_of(importer)}
    missing = [field.name for field in fields_of(importer) if field.required and field.name not in columns]
    missing += ["|".join(group) for group in importer.one_of if not any(name in columns for name in group)]
    if missing:
        wanted = ", ".join(_(" or ").join(labels[name] for name in part.split("|")) for part in missing)
        raise ColumnsMissing(
            _("No column was found for: %(fields)s. The file has: %(headers)s. Name the columns in the mapping.")
            % {"fields": wanted, "headers": ", ".join(headers)},
            details={"fields": missing, "headers": list(headers)},
        )


def chosen_options(importer: Importer, given: Mapping[str, str] | None) -> dict[str, str]:
    """Every option of the importer and the engine with its value. Raises InvalidInput for one that does not exist."""
    declared = {option.name: option for option in (*ENGINE_OPTIONS, *options_of(importer))}
    for name, value in (given or {}).items():
        option = declared.get(name)
        if option is None:
            raise InvalidInput(
                _("There is no option “%(name)s”. There are: %(names)s.")
                % {"name": name, "names": ", ".join(declared)},
                details={"option": name},
            )
        if option.choices and value not in {choice for choice, _label in option.choices}:
            raise InvalidInput(
                _("“%(value)s” is no choice of option “%(name)s”.") % {"value": value, "name": name},
                details={"option": name},
            )
    return {name: (given or {}).get(name, option.default) for name, option in declared.items()}
