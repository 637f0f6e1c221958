"""Exports that do not fit are found at start-up."""

from dataclasses import replace

import pytest

from patron.intelligence.warehouse.checks import problems
from patron.kernel.exports import Carried, ExportColumn, changed_since, exports


def test_what_the_rooms_declare_holds() -> None:
    assert problems(exports) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tables": ("nowhere",)}, "reads 'nowhere', which is no table"),
        ({"tracked": ("purchases_purchaseline",)}, "tracks 'purchases_purchaseline', which has no changed_xid"),
        ({"tracked": ("accounts_branch",)}, "does not follow its parent's changes"),
        ({"carried": Carried("purchases", "purchase_id", ("colour",))}, "carries colour, which its parent lacks"),
        ({"carried": Carried("receipts", "purchase_id", ())}, "carries purchase_id, which its parent lacks"),
    ],
)
def test_what_does_not_hold_is_named(change: dict[str, object], words: str) -> None:
    broken = replace(exports.get("purchase_lines"), **change)  # type: ignore[arg-type]
    first, *_ = problems([exports.get("purchases"), broken])
    assert words in first.msg


def test_a_column_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="'money' is not a type of the warehouse"):
        ExportColumn("amount", "money", "How much.")


def test_a_key_that_is_not_exported_is_refused() -> None:
    with pytest.raises(ValueError, match=r"key columns \['other'\] are not exported"):
        replace(exports.get("branches"), key=("other",))


def test_the_condition_for_changes_is_filled_in_for_every_table() -> None:
    assert changed_since("CHANGED(a) OR CHANGED(b)", "5:9:7", before=12) == (
        "((a.changed_xid >= '5'::xid8 AND a.changed_xid < '12'::xid8 "
        "AND NOT pg_visible_in_snapshot(a.changed_xid, '5:9:7'::pg_snapshot)) "
        "OR (b.changed_xid >= '5'::xid8 AND b.changed_xid < '12'::xid8 "
        "AND NOT pg_visible_in_snapshot(b.changed_xid, '5:9:7'::pg_snapshot)))"
    )
