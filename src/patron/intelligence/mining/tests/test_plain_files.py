"""Dirty files: rows are left out and counted, files are refused with a remedy."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet
import pytest

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.plain_files import opened, parse_columns
from patron.intelligence.mining.plain_results import write_table, write_text

COLUMNS = {"customer": "who", "date": "day", "amount": "paid"}


@pytest.fixture(name="read")
def _read(tmp_path):
    def read(text: str, *, columns=COLUMNS, save_as: str = "utf-8", **options):
        path = tmp_path / "lines.csv"
        path.write_bytes(text.encode(save_as))
        with opened(path, columns, **options) as (table, counts):
            return table.to_pyarrow().to_pylist(), counts

    return read


def dates(rows):
    return [row["date"] and row["date"].isoformat() for row in rows]


def test_dirty_rows_are_left_out_and_counted(read):
    _, counts = read(
        "who,day,paid\n陳大文,2025-01-02,3.5\n,2025-01-02,1\n陳大文,oops,2\n陳大文,2025-02-30,2\n王美玲,2025-01-03,\n王美玲,2025-01-03,x\n"
    )
    assert counts.as_rows() == {
        "read": 6,
        "used": 1,
        "without_customer": 1,
        "unreadable_date": 2,
        "unreadable_amount": 2,
        "broken_lines": 0,
    }
    assert counts.first_unreadable_date_row == 4
    assert counts.remarks[0].startswith(
        "Rows left out because their date cannot be read: 2, first in row 4 ('oops'). Use dates like 2025-03-31"
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["2025-03-01", "2025-03-01 23:59:59", "2025-03-01T08:00:00+08:00"], ["2025-03-01"] * 3),
        (["2025/3/1", "20250301", "2025-3-1 8:26", "2025年3月1日"], ["2025-03-01"] * 4),
        (["31/12/2025", "01/02/2025 08:26", "1.2.2025"], ["2025-12-31", "2025-02-01", "2025-02-01"]),
        (["12/31/2025", "01/02/2025 8:26", "12/1/10 8:26"], ["2025-12-31", "2025-01-02", "2010-12-01"]),
        (["01/02/2025", "3/4/25"], ["2025-02-01", "2025-04-03"]),
        (["1 Feb 2025", "0012-01-01", "9999-12-31"], ["2025-02-01", None, None]),
    ],
)
def test_common_ways_to_write_a_date(read, written, meant):
    rows, _ = read("who,day,paid\n" + "".join(f"a,{each},1\n" for each in written))
    assert dates(rows) == meant


def test_guessed_order_of_day_and_month_is_told(read):
    _, counts = read("who,day,paid\na,12/31/2025,1\n")
    assert counts.remarks == ("Dates are read as month before day; --date-format says otherwise.",)


def test_date_format_overrides_the_guess(read):
    rows, counts = read("who,day,paid\na,01/02/2025,1\n", date_format="%m/%d/%Y")
    assert (dates(rows), counts.date_order) == (["2025-01-02"], "")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12.5", "12.5"),
        ('"1,234.50"', "1234.5"),
        ("HK$ 12", "12"),
        ("-HK$12", "-12"),
        ("(12.5)", "-12.5"),
        ("1e3", "1000"),
        ('"1.234,50"', None),
        ('"1,5"', None),
        ("nan", None),
    ],
)
def test_ways_to_write_an_amount(read, written, meant):
    rows, _ = read(f"who,day,paid\na,2025-01-01,{written}\nb,2025-01-01,1\n")
    assert rows[0]["amount"] == (meant and Decimal(meant))


def test_other_encodings_are_read_when_named(read):
    rows, _ = read("who,day,paid\n陳大文,2025-01-01,1\n", save_as="big5", encoding="big5hkscs")
    assert rows[0]["customer"] == "陳大文"


def test_unnamed_encoding_is_refused_with_a_remedy(read):
    with pytest.raises(InputError, match="--encoding big5hkscs"):
        read("who,day,paid\n陳大文,2025-01-01,1\n", save_as="big5")


def test_wrong_encoding_says_where(read):
    with pytest.raises(InputError, match=r"is not ascii: byte 13 cannot be read"):
        read("who,day,paid\n陳大文,2025-01-01,1\n", encoding="ascii")


def test_unknown_encoding_is_refused(read):
    with pytest.raises(InputError, match="There is no encoding 'klingon'"):
        read("who,day,paid\n", encoding="klingon")


def test_file_with_a_heading_alone_has_no_rows(read):
    rows, counts = read("who,day,paid\n")
    assert (rows, counts.read) == ([], 0)


def test_file_without_one_usable_row_is_refused(read):
    with pytest.raises(InputError, match=r"has 2 rows and none can be used\. Rows left out because their date"):
        read("who,day,paid\na,x,1\nb,y,2\n")


def test_missing_column_is_named_with_those_there_are(read):
    with pytest.raises(InputError, match=r"has no column household; there are: who, day, paid\."):
        read("who,day,paid\n", columns={**COLUMNS, "customer": "household"})


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"customer": "who", "date": "day"}, "--columns lacks amount"),
        ({**COLUMNS, "till": "x"}, "There is no role till; there are: customer, date, amount"),
    ],
)
def test_roles_that_do_not_fit_are_refused(read, columns, message):
    with pytest.raises(InputError, match=message):
        read("who,day,paid\n", columns=columns)


def test_parquet_keeps_its_types(tmp_path):
    path = tmp_path / "lines.parquet"
    pyarrow.parquet.write_table(
        pa.table(
            {
                "who": pa.array([7.0, None, 8.0]),
                "day": pa.array([dt.datetime(2025, 1, 1, 23), dt.datetime(2025, 1, 2), None], pa.timestamp("us")),  # noqa: DTZ001
                "paid": pa.array([1.25, 2.0, 3.0]),
            }
        ),
        path,
    )
    with opened(path, COLUMNS) as (table, counts):
        rows = table.to_pyarrow().to_pylist()
    assert rows[0] == {"customer": 7, "date": dt.date(2025, 1, 1), "amount": Decimal("1.25")}
    assert (counts.used, counts.without_customer, counts.unreadable_date, counts.first_unreadable_date_row) == (
        1,
        1,
        1,
        3,
    )


def test_file_that_is_no_parquet_is_refused(tmp_path):
    path = tmp_path / "lines.parquet"
    path.write_text("no")
    with pytest.raises(InputError, match=r"lines\.parquet cannot be read"), opened(path, COLUMNS):
        pass


def test_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="There is no file"), opened(tmp_path / "x.csv", COLUMNS):
        pass


def test_other_kinds_of_file_are_refused(tmp_path):
    path = tmp_path / "lines.xlsx"
    path.touch()
    with pytest.raises(InputError, match=r"ends in '\.xlsx'"), opened(path, COLUMNS):
        pass


def test_columns_are_parsed_with_quotes():
    assert parse_columns('customer=id, date=day,"amount=paid, total"') == {
        "customer": "id",
        "date": "day",
        "amount": "paid, total",
    }


@pytest.mark.parametrize("text", ["customer", "customer=", "=x", "customer=a,,date=b"])
def test_columns_that_are_no_pairs_are_refused(text):
    with pytest.raises(InputError, match="write role=column"):
        parse_columns(text)


def test_formulas_are_disarmed_in_csv_but_numbers_stay(tmp_path):
    path = tmp_path / "out.csv"
    write_table(pa.table({"customer": ["=1+1", "-5", "+x", "陳大文", None]}), path)
    assert path.read_text(encoding="utf-8").splitlines() == ['"customer"', '"\'=1+1"', '"-5"', '"\'+x"', '"陳大文"', ""]


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "out.csv"
    write_text("old", path)
    with pytest.raises(pa.ArrowInvalid):
        write_table(pa.table({"customer": [{"no": "csv"}]}), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("name", "message"), [("out.xls", "must end in"), ("no/out.csv", "does not exist")])
def test_place_that_cannot_be_written_is_refused(tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        write_table(pa.table({"customer": ["a"]}), tmp_path / name)
