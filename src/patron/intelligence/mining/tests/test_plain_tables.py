"""Files of models that read a table of their own: columns become what their roles need, bad rows are left out."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet
import pytest

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.plain_results import write_table
from patron.intelligence.mining.plain_tables import opened_table
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.transactions import Role

WHO = Role("customer", "who", kind="text")
SCORE = Role("score", "how much", required=True, kind="number")
WHEN = Role("position", "when, a number or a date", required=True)
FEATURES = Role("features", "what is known", required=True, kind="number", many=True)


@pytest.fixture(name="read")
def _read(tmp_path):
    def read(text, columns, roles, **options):
        path = tmp_path / "rows.csv"
        path.write_text(text, encoding="utf-8")
        with opened_table(path, columns, roles=roles, **options) as (rows, counts):
            return rows.arrow().to_pylist(), counts

    return read


def test_numbers_are_read_as_people_write_them_and_rows_without_one_are_left_out(read):
    rows, counts = read(
        'id,paid\n1,0.123456789\n2,"1,234.5"\n3,\n4,much\n', {"customer": "id", "score": "paid"}, [WHO, SCORE]
    )
    assert rows == [{"customer": "1", "score": 0.123456789}, {"customer": "2", "score": 1234.5}]
    assert counts.as_rows() == {"read": 4, "used": 2, "without_score": 2, "broken_lines": 0}
    assert counts.remarks == ("Rows left out because their score is missing or cannot be read: 2.",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["1", "2", "10"], [1, 2, 10]),
        (["1.5", "2"], [1.5, 2.0]),
        (["2025-03-01", "2025-03-02"], [dt.date(2025, 3, 1), dt.date(2025, 3, 2)]),
        (["31/12/2025", "01/02/2025"], [dt.date(2025, 12, 31), dt.date(2025, 2, 1)]),
        (["a", "2"], ["a", "2"]),
    ],
)
def test_a_role_that_takes_anything_takes_what_all_values_are(read, written, meant):
    rows, _ = read("at\n" + "".join(f"{each}\n" for each in written), {"position": "at"}, [WHEN])
    assert [row["position"] for row in rows] == meant


def test_a_role_of_many_keeps_the_names_of_its_columns_and_its_gaps(read):
    rows, counts = read("visits,spend\n3,\n4,2.5\n", {}, [WHO, FEATURES], many={"features": ["visits", "spend"]})
    assert rows == [{"visits": 3.0, "spend": None}, {"visits": 4.0, "spend": 2.5}]
    assert counts.used == 2


@pytest.mark.parametrize(
    ("columns", "many", "message"),
    [
        (
            {"customer": "a"},
            {},
            "The score (how much) is missing; say which column of the file it is: --columns score=…",
        ),
        (
            {"score": "a"},
            {},
            "The features (what is known) is missing; say which column of the file it is: --features a,b,c",
        ),
        ({"score": "a", "speed": "b"}, {"features": ["b"]}, "There is no role speed; there are: customer, score."),
        ({"score": "a"}, {"features": ["b", "b"]}, "The column b is named twice; name each once."),
        ({"score": "c"}, {"features": ["b"]}, "has no column c; there are: a, b."),
        ({"score": "a"}, {"features": ["b", "d"]}, "has no column d; there are: a, b."),
    ],
)
def test_what_is_missing_is_refused_with_a_remedy(read, columns, many, message):
    with pytest.raises(InputError) as refused:
        read("a,b\n1,2\n", columns, [WHO, SCORE, FEATURES], many=many)
    assert message in str(refused.value)


def test_file_without_a_usable_row_is_refused(read):
    with pytest.raises(InputError, match="has 1 rows and none can be used"):
        read("a\nx\n", {"score": "a"}, [SCORE])


def test_typed_columns_of_parquet_keep_their_meaning(tmp_path):
    path = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(
        pa.table({"id": [17850.0, 2.5], "day": [dt.date(2025, 3, 1)] * 2, "won": [True, False]}), path
    )
    with opened_table(path, {"customer": "id", "position": "day", "score": "won"}, roles=[WHO, WHEN, SCORE]) as (
        rows,
        _,
    ):
        assert rows.arrow().to_pylist() == [
            {"customer": "17850", "position": dt.date(2025, 3, 1), "score": 1.0},
            {"customer": "2.5", "position": dt.date(2025, 3, 1), "score": 0.0},
        ]


def test_rows_say_which_columns_there_are():
    rows = Rows.of(pa.table({"a": [1], "b": [2]}), features=("b",))
    assert rows.has("a")
    assert rows.columns_of("features") == ("b",)
    with pytest.raises(InputError, match=r"The table lacks c; there are: a, b\."):
        rows.arrow("c")


def test_lists_are_joined_in_csv(tmp_path):
    table = pa.table({"antecedent": [["milk", "bread"]], "pattern": [[["a", "b"], ["c"]]]})
    write_table(table, tmp_path / "rules.csv")
    assert (tmp_path / "rules.csv").read_text(
        encoding="utf-8"
    ) == '"antecedent","pattern"\n"milk | bread","a + b | c"\n'
