"""Tables that people take away: CSV and XLSX, safe to open in a spreadsheet.

A cell that a spreadsheet would run as a formula is written as text with a leading apostrophe: data typed by a customer
must not act on the desk of whoever opens the file.
"""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import xlsxwriter
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

Format = Literal["csv", "xlsx"]
FORMATS: tuple[Format, ...] = ("csv", "xlsx")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
XLSX_MAX_ROWS = 1_048_575
BYTE_ORDER_MARK = "\ufeff"


def neutralised(value: object) -> object:
    """`value`, or for text that a spreadsheet would take for a formula the same text behind an apostrophe."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def download(
    *, name: str, header: Sequence[str], rows: Iterable[Sequence[object]], file_format: Format
) -> HttpResponseBase:
    """The table as an attachment `name`.csv or .xlsx. CSV is streamed; XLSX is built on disk in constant memory."""
    return _csv(name, header, rows) if file_format == "csv" else _xlsx(name, header, rows)


def _csv(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    # Excel takes a CSV for the local code page unless it begins with a byte order mark.
    response = StreamingHttpResponse(_csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = _attachment(f"{name}.csv")
    return response


def _csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow([neutralised(cell) for cell in header])
    for row in rows:
        writer.writerow([neutralised(cell) for cell in row])
        if buffer.tell() > 65_536:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _xlsx(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> FileResponse:
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the response closes it)
    book = xlsxwriter.Workbook(
        file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "remove_timezone": True}
    )
    sheet = book.add_worksheet()
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, [str(neutralised(cell)) for cell in header], bold)
    for row_number, row in enumerate(rows, start=1):
        if row_number > XLSX_MAX_ROWS:
            break
        for column, cell in enumerate(row):
            _write_cell(sheet, row_number, column, cell, day)
    book.close()
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"{name}.xlsx",
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


def _write_cell(sheet: Any, row: int, column: int, cell: object, day: Any) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, int | float | Decimal):
        sheet.write_number(row, column, float(cell))
    elif isinstance(cell, datetime):
        sheet.write_string(row, column, cell.isoformat(sep=" ", timespec="minutes"))
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001 (a day has no zone)
    else:
        sheet.write_string(row, column, str(neutralised(str(cell))))


def _attachment(filename: str) -> str:
    return content_disposition_header(True, filename) or "attachment"
