"""What is said of rows: the engine's own words, and those that importers declare."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.kernel.intake.contract import Importer, treatments_of

_BUILT_IN: dict[str, tuple[str | Promise, str | Promise]] = {
    "missing": (_("A needed value is missing"), _("This column must not be empty. Fill it in.")),
    "not_decimal": (_("Not a number"), _("This is not a number. Write it like 1234.50.")),
    "not_integer": (_("Not a whole number"), _("This is not a whole number.")),
    "not_date": (
        _("Not a date"),
        _("This is not a date. Write it like 2025-01-31, or choose the order of day and month."),
    ),
    "not_instant": (
        _("Not a date and time"),
        _("This is not a date. Write it like 2025-01-31 15:30, or choose the order of day and month."),
    ),
    "not_flag": (_("Not yes or no"), _("This is neither yes nor no.")),
    "too_long": (_("Too long"), _("This text is longer than the field allows. Shorten it.")),
    "repeated_in_file": (
        _("The same key again further down"),
        _("An earlier row of the file has the same key. Keep one of them."),
    ),
    "ragged": (
        _("Another number of columns than the header"),
        _("This row has more or fewer columns than the header. Look for stray separators or quotation marks."),
    ),
    "undecodable": (
        _("Characters that cannot be read"),
        _("This row holds bytes that are no text in the file's encoding. Choose another encoding or mend the row."),
    ),
    "open_quote": (
        _("A quotation mark that is never closed"),
        _("A quotation mark opens here and never closes. Close it or double it."),
    ),
}


def label_of(code: str, importer: Importer) -> str:
    """A few words for the treatment `code`."""
    for treatment in treatments_of(importer):
        if treatment.code == code:
            return str(treatment.label)
    return str(_BUILT_IN[code][0]) if code in _BUILT_IN else code


def message_of(code: str, importer: Importer) -> str:
    """What was wrong with a row and what to do."""
    for treatment in treatments_of(importer):
        if treatment.code == code:
            return str(treatment.message or treatment.label)
    return str(_BUILT_IN[code][1]) if code in _BUILT_IN else code


def action_of(code: str, importer: Importer) -> str:
    for treatment in treatments_of(importer):
        if treatment.code == code:
            return treatment.action
    return "reject"


def messages(importer: Importer) -> dict[str, str]:
    """Every code and its message."""
    codes = [*_BUILT_IN, *(treatment.code for treatment in treatments_of(importer))]
    return {code: message_of(code, importer) for code in codes}
