"""Numbers, dates and flags as files write them."""

import duckdb
import pytest

from patron.kernel.intake import values
from patron.kernel.intake.dates import plan_dates
from patron.kernel.intake.guessing import folded, guess
from patron.kernel.intake.tests.support import SHELF


def _evaluated(expression: str, *texts: str) -> list[str | None]:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE raw (c0 VARCHAR)")
    connection.executemany("INSERT INTO raw VALUES (?)", [[text] for text in texts])
    return [row[0] for row in connection.execute(f"SELECT ({expression})::VARCHAR FROM raw").fetchall()]


def test_decimals_are_understood_as_people_write_them() -> None:
    assert _evaluated(
        values.decimal("c0"),
        "1234.5",
        "1,234.50",
        "HK$ 12",
        "＄１，２３４．５",
        "(3.25)",
        "7-",
        "¥9",
        "-0.5",
        "abc",
        "",
    ) == ["1234.5000", "1234.5000", "12.0000", "1234.5000", "-3.2500", "-7.0000", "9.0000", "-0.5000", None, None]


def test_decimals_with_a_comma_as_their_mark() -> None:
    assert _evaluated(values.decimal("c0", comma=True), "1.234,50", "-3,5") == ["1234.5000", "-3.5000"]


def test_integers_are_whole() -> None:
    assert _evaluated(values.integer("c0"), "12", "12.0", "1.5", "x") == ["12", "12", None, None]


def test_flags() -> None:
    assert _evaluated(values.flag("c0"), "Yes", "否", "0", "maybe") == ["true", "false", "false", None]


def test_text_is_trimmed_and_whole_numbers_lose_their_decimals() -> None:
    assert _evaluated(values.text("c0"), " 王 ", "\u3000", "17850.0") == ["王", None, "17850.0"]
    assert _evaluated(values.text("c0", whole=True), "17850.0") == ["17850"]


def _dates(*texts: str, order: str = "auto", republic: str = "auto") -> tuple[dict[str, object], list[str | None]]:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Hong_Kong'; CREATE TABLE raw (c0 VARCHAR)")
    connection.executemany("INSERT INTO raw VALUES (?)", [[text] for text in texts])
    plan = plan_dates(connection, "c0", order=order, republic=republic)
    found: dict[str, object] = {
        "order": plan.order,
        "ambiguous": plan.ambiguous,
        "mixed": plan.mixed,
        "republic": plan.republic,
    }
    rows = connection.execute(f"SELECT ({plan.expression})::VARCHAR FROM raw").fetchall()
    return found, [row[0][:19] if row[0] else None for row in rows]


def test_dates_of_one_file_may_be_mixed() -> None:
    found, dates = _dates(
        "2025-01-31", "2025/1/31 8:05", "31/1/2025", "2025年1月31日", "20250131", "45688", "31-Jan-2025",
        "2025/1/31 下午 3:05:00", "2025-01-31T00:00:00Z", "31.1.25", "soon",
    )  # fmt: skip
    assert found == {"order": "dmy", "ambiguous": False, "mixed": False, "republic": False}
    day = "2025-01-31"
    assert dates == [
        f"{day} 00:00:00", f"{day} 08:05:00", f"{day} 00:00:00", f"{day} 00:00:00", f"{day} 00:00:00",
        f"{day} 00:00:00", f"{day} 00:00:00", f"{day} 15:05:00", f"{day} 08:00:00", f"{day} 00:00:00", None,
    ]  # fmt: skip


def test_the_file_itself_settles_the_order_of_day_and_month() -> None:
    assert _dates("12/1/2010 8:26", "1/31/2011 18:00") == (
        {"order": "mdy", "ambiguous": False, "mixed": False, "republic": False},
        ["2010-12-01 08:26:00", "2011-01-31 18:00:00"],
    )


def test_an_order_that_nothing_settles_is_called_ambiguous_and_can_be_chosen() -> None:
    found, dates = _dates("1/2/2025")
    assert (found["ambiguous"], dates) == (True, ["2025-02-01 00:00:00"])
    found, dates = _dates("1/2/2025", order="mdy")
    assert (found["ambiguous"], dates) == (False, ["2025-01-02 00:00:00"])


def test_both_orders_in_one_file_are_told_of() -> None:
    found, dates = _dates("13/1/2025", "1/13/2025")
    assert (found["mixed"], dates) == (True, ["2025-01-13 00:00:00", "2025-01-13 00:00:00"])


def test_years_of_the_republic() -> None:
    found, dates = _dates("114/03/05", "民國114年3月5日 10:30", "99/1/2")
    assert found["republic"] is True
    assert dates == ["2025-03-05 00:00:00", "2025-03-05 10:30:00", "2010-01-02 00:00:00"]


def test_dates_beyond_reason_are_no_dates() -> None:
    assert _dates("0001-01-01", "9999-12-31", "2025-02-30")[1] == [None, None, None]


@pytest.mark.parametrize(("header", "field"), [("Item_Code", "code"), ("編號", "code"), ("PRICE ", "price")])
def test_columns_are_guessed_by_name(header: str, field: str) -> None:
    assert [(g.field, g.exact) for g in guess([header], SHELF.fields)] == [(field, True)]


def test_near_names_are_guessed_but_said_to_be_guesses() -> None:
    assert [(g.field, g.exact) for g in guess(["item codes"], SHELF.fields)] == [("code", False)]
    assert guess(["weather"], SHELF.fields) == []
    assert folded("Customer_ID") == folded("customer id")
