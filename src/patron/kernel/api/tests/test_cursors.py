"""Cursors: signed positions."""

import pytest

from patron.kernel.api.cursors import InvalidCursor, cut, read_cursor, write_cursor


def test_a_cursor_gives_back_its_position() -> None:
    assert read_cursor("customers", write_cursor("customers", ("2026-03-02", 17))) == ("2026-03-02", 17)


def test_no_cursor_is_the_beginning() -> None:
    assert read_cursor("customers", None) is None
    assert read_cursor("customers", "") is None


@pytest.mark.parametrize("cursor", ["nonsense", "a:b", "WzE3XQ:forged", "\U0001f600", "=" * 400])
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        read_cursor("customers", cursor)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        read_cursor("products", write_cursor("customers", (17,)))


def test_cut_keeps_the_page_and_points_at_the_rest() -> None:
    page, following = cut([1, 2, 3], of="numbers", limit=2, key=lambda number: (number,))

    assert page == [1, 2]
    assert read_cursor("numbers", following) == (2,)


def test_cut_of_the_last_page_points_nowhere() -> None:
    assert cut([1, 2], of="numbers", limit=2, key=lambda number: (number,)) == ([1, 2], None)
    assert cut([], of="numbers", limit=2, key=lambda number: (number,)) == ([], None)
