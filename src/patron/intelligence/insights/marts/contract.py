"""What a mart is."""

from dataclasses import dataclass

from patron.kernel.exports import ExportColumn

#: Stands for the whole organisation where a mart is split by branch. (No branch at all is null.)
ALL_BRANCHES = 0

#: Who asks: the data dictionary groups the marts by them.
DEPARTMENTS = ("sales", "marketing", "loyalty", "service", "finance")


@dataclass(frozen=True, slots=True)
class Mart:
    """A mart's contract. Rows are stored in the order of `order`, so that a page reads few of them.

    `department` is whose questions it answers first: one of `DEPARTMENTS`.
    """

    name: str
    meaning: str
    columns: tuple[ExportColumn, ...]
    order: str
    department: str = "marketing"
