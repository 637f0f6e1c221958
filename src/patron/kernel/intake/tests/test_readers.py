"""Files of every kind come in row by row, and what cannot be read is told of."""

import gzip
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patron.kernel.intake.errors import FileTooLarge, FileUnreadable
from patron.kernel.intake.tests.support import csv_bytes, opened, rows_of, unreadable

_ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp950", "gb18030"]


_EXCLUDED = "\0\ufeff\ufffd" + "\xa2\xa3\xa5\u2022\u203e\u223c\u2609\u2641\uff64"
"""Not kept by any database, or written by cp950 in a way that reads back as another character."""


def _cells(encoding: str) -> st.SearchStrategy[str]:
    """Text that the encoding can write and a CSV file can hold: no NUL, which no database keeps."""
    return st.text(
        st.characters(codec="utf-8" if encoding.startswith("utf") else encoding, exclude_characters=_EXCLUDED),
        max_size=8,
    ).filter(lambda text: _survives(text, encoding))


def _survives(text: str, encoding: str) -> bool:
    return text.encode(encoding, "ignore").decode(encoding) == text


@pytest.mark.parametrize("encoding", _ENCODINGS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_table_comes_back_as_it_was_written(encoding: str, data: st.DataObject, tmp_path: Path) -> None:
    width = data.draw(st.integers(2, 4))
    cell = _cells(encoding)
    table = data.draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=6))
    path = tmp_path / "table.csv"
    path.write_bytes(csv_bytes([[f"h{i}" for i in range(width)], *table], encoding=encoding))

    with opened(path, encoding=encoding) as (connection, source):
        assert source.headers == tuple(f"h{i}" for i in range(width))
        assert unreadable(connection) == []
        assert rows_of(connection) == [(number, row) for number, row in enumerate(table, start=2) if any(row)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(csv_bytes([["a", "b"], ["1", "x,y;z"], ["2", "w"]], delimiter=delimiter))
    with opened(path) as (connection, source):
        assert source.delimiter == delimiter
        assert rows_of(connection) == [(2, ["1", "x,y;z"]), (3, ["2", "w"])]


def test_ragged_and_broken_rows_are_told_of_and_the_others_go_in(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'a,b\n1,2\n3\n4,5,6\n7,\xff\xfe\n\n8,"two\nlines"\n9,10,,\n')
    with opened(path, encoding="utf-8") as (connection, _source):
        assert rows_of(connection) == [(2, ["1", "2"]), (7, ["8", "two\nlines"]), (8, ["9", "10"])]
        assert unreadable(connection) == [(3, "ragged"), (4, "ragged"), (5, "undecodable")]


def test_a_quotation_that_never_closes_costs_one_row_only(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'a,b\n1,"open\n' + b"".join(b"%d,x\n" % i for i in range(2, 500)))
    with opened(path) as (connection, _source):
        assert unreadable(connection) == [(2, "open_quote")]
        assert len(rows_of(connection)) == 498


def test_blank_lines_count_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,2\n,\n5,6\n")
    with opened(path) as (connection, _source):
        assert rows_of(connection) == [(2, ["1", "2"]), (4, ["5", "6"])]
    path.write_bytes(b"a,b\n1,2\n\n5,6\n")
    with opened(path) as (connection, _source):
        assert rows_of(connection) == [(2, ["1", "2"]), (4, ["5", "6"])]


def test_headers_are_all_there_and_all_different(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffname,,name, spaced  out \n1,2,3,4\n".encode())
    with opened(path) as (_connection, source):
        assert source.headers == ("name", "column 2", "name (2)", "spaced out")


def _workbook(path: Path) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(0, 0, ["code", "price", "when", "名稱"])
        sheet.write_row(1, 0, [12345, 9.5])
        sheet.write_datetime(1, 2, datetime(2025, 1, 31, 15, 30), day)  # noqa: DTZ001 (cells have no zone)
        sheet.write(1, 3, "牛奶")
        sheet.write_row(3, 0, ["=SUM(A1)", 2])


def test_a_workbook_is_read_with_its_own_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    _workbook(path)
    with opened(path) as (connection, source):
        assert source.headers == ("code", "price", "when", "名稱")
        rows = rows_of(connection)
    assert rows[0] == (2, ["12345", "9.5", "2025-01-31 15:30:00", "牛奶"])
    assert rows[1][0] == 4


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"code": [1, 2], "day": [date(2025, 1, 31), None]}), path)
    with opened(path) as (connection, source):
        assert source.types == ("BIGINT", "DATE")
        assert rows_of(connection) == [(2, ["1", "2025-01-31"]), (3, ["2", ""])]


@pytest.mark.parametrize("kind", ["gz", "zip"])
def test_one_compressed_file_is_unpacked(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"t.csv.{kind}"
    plain = csv_bytes([["a", "b"], ["1", "2"]])
    if kind == "gz":
        path.write_bytes(gzip.compress(plain))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("t.csv", plain)
    with opened(path) as (connection, _source):
        assert rows_of(connection) == [(2, ["1", "2"])]


def _bomb(megabytes: int, *, lie: bool) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * (megabytes << 20))
    data = bytearray(buffer.getvalue())
    if lie:  # the directory says that the entry is small
        directory = data.rfind(b"PK\x01\x02")
        data[directory + 24 : directory + 28] = (1000).to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize("lie", [False, True])
def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path, lie: bool) -> None:
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(_bomb(64, lie=lie))
    with pytest.raises(FileTooLarge), opened(path):
        pass


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 not a zip", b"PAR1 not parquet", b"\xd0\xcf\x11\xe0 old", b"\x1f\x8bnot gzip"]
)
def test_a_file_that_is_no_table_is_refused_with_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.bin"
    path.write_bytes(content)
    with pytest.raises(FileUnreadable), opened(path):
        pass
