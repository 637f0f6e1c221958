"""What a mart is."""

from dataclasses import dataclass

from patron.kernel.exports import ExportColumn

#: Stands for the whole organisation where a mart is split by branch. (No branch at all is null.)
ALL_BRANCHES = 0


@dataclass(frozen=True, slots=True)
class Mart:
    """A mart's contract. Rows are stored in the order of `order`, so that a page reads few of them."""

    name: str
    meaning: str
    columns: tuple[ExportColumn, ...]
    order: str
