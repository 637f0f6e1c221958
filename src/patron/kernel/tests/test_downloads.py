"""Tables that people take away."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import cast

import pytest
from django.http import HttpResponseBase, StreamingHttpResponse
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from patron.kernel.downloads import FORMULA_STARTS, download, neutralised

HEADER = ("name", "amount", "day")
ROWS = [("王美玲", Decimal("12.50"), date(2026, 3, 2)), ("=HYPERLINK(1)", Decimal("-3.00"), None)]


def _body(response: HttpResponseBase) -> bytes:
    try:
        return b"".join(cast("StreamingHttpResponse", response).streaming_content)  # type: ignore[arg-type]
    finally:
        response.close()


def test_csv_opens_in_a_spreadsheet_and_runs_nothing() -> None:
    body = _body(download(name="會員", header=HEADER, rows=ROWS, file_format="csv"))

    assert body.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(body.decode("utf-8-sig")))) == [
        ["name", "amount", "day"],
        ["王美玲", "12.50", "2026-03-02"],
        ["'=HYPERLINK(1)", "-3.00", ""],
    ]


def test_xlsx_keeps_numbers_and_days_and_runs_nothing() -> None:
    body = _body(download(name="members", header=HEADER, rows=ROWS, file_format="xlsx"))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()

    assert sheet == [["name", "amount", "day"], ["王美玲", 12.5, date(2026, 3, 2)], ["'=HYPERLINK(1)", -3.0, ""]]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_text_that_would_run_is_neutralised(start: str) -> None:
    assert neutralised(f"{start}cmd") == f"'{start}cmd"


@given(st.text())
def test_neutralised_text_never_begins_a_formula(text: str) -> None:
    assert not str(neutralised(text)).startswith(FORMULA_STARTS)
