"""What pages read: short answers of a version are remembered while it is the one, and only those."""

from pathlib import Path
from typing import Final

import pytest

from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import generated, published

COUNTED: Final = "SELECT count(*) FROM purchases WHERE branch_id = ?"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    published(tmp_path, generated(seed=7))
    return tmp_path


def test_a_short_answer_is_not_worked_out_again(root: Path) -> None:
    """The files are gone, and the answer is still there, for whoever opens the version; another question is not."""
    asked = open_warehouse(root).rows(COUNTED, [1])
    files = list((root / "parts" / "purchases").rglob("*.parquet"))
    for file in files:
        file.rename(file.with_suffix(".away"))

    assert asked[0][0] > 0
    assert open_warehouse(root).rows(COUNTED, [1]) == asked
    with pytest.raises(Exception, match=r"No files found|No such file"):
        open_warehouse(root).rows(COUNTED, [2])


def test_an_answer_may_be_changed_by_who_asked(root: Path) -> None:
    first = open_warehouse(root).rows(COUNTED, [1])
    kept = list(first)
    first.clear()
    assert open_warehouse(root).rows(COUNTED, [1]) == kept
    open_warehouse(root).rows(COUNTED, [1]).clear()
    assert open_warehouse(root).rows(COUNTED, [1]) == kept


def test_what_is_asked_with_other_values_is_another_question(root: Path) -> None:
    warehouse = open_warehouse(root)
    told = [warehouse.rows("SELECT typeof(?)", [value]) for value in (1, True, 1.0, "1")]
    assert len({row[0][0] for row in told}) == 4
    assert warehouse.rows("SELECT len(?)", [[1, 2]]) == [(2,)]
    assert warehouse.rows("SELECT len(?)", [[1, 2, 3]]) == [(3,)]


def test_long_answers_are_not_kept(root: Path) -> None:
    warehouse = open_warehouse(root)
    drawn = "SELECT random() FROM range(?)"
    assert warehouse.rows(drawn, [250]) == warehouse.rows(drawn, [250])
    assert warehouse.rows(drawn, [251]) != warehouse.rows(drawn, [251])


def test_a_new_version_is_asked_anew(root: Path) -> None:
    before = open_warehouse(root).rows("SELECT count(*) FROM purchases")
    published(root, {**generated(seed=7), "purchases": generated(seed=7)["purchases"][:10]}, version=2)
    assert before != [(10,)]
    assert open_warehouse(root).rows("SELECT count(*) FROM purchases") == [(10,)]
