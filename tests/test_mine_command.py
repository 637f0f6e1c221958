"""`patron mine` as a user runs it: in a process of its own, where Django cannot be imported."""

import csv
import json
import subprocess
import sys

import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from patron.config.cli.mine import _strict, app
from patron.intelligence.mining.registry import models

LINES = """member,day,paid,basket
陳大文,2025-01-03,300,1
陳大文,2025-03-01,80,2
王美玲,2025-03-09,45.50,3
,2025-03-09,7,4
李志強,someday,9,5
"""
COLUMNS = "customer=member,date=day,amount=paid"
BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"django", "psycopg", "procrastinate", "ninja"}:
            raise ImportError(f"{name} must not be imported here")
sys.meta_path.insert(0, Blocker())
from patron.config.cli import app
sys.argv[0] = "patron"
app()
"""


@pytest.fixture(name="mine")
def _mine(tmp_path):
    (tmp_path / "lines.csv").write_text(LINES, encoding="utf-8")

    def mine(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", BLOCKED, "mine", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", "PYTHONPATH": ":".join(sys.path), "LANG": "C.UTF-8"},
            check=False,
        )

    return mine


def test_models_are_listed_with_their_questions(mine):
    done = mine()
    assert done.returncode == 0, done.stderr
    for name, model in models().items():
        assert name in done.stdout
        assert model.card.question in done.stdout


@pytest.mark.parametrize("name", models())
def test_help_of_a_model_shows_columns_and_parameters(name):
    done = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    card = models()[name].card
    for role in card.roles:
        assert f"  {role.name}" in done.stdout
        assert not role.many or f"--{role.name}" in done.stdout
    for parameter in models()[name].parameters().as_dict():
        assert f"--{parameter.replace('_', '-')}" in done.stdout


@pytest.mark.parametrize("name", ["lifecycle", "value"])
def test_rows_that_cannot_be_used_are_left_out_and_told(mine, tmp_path, name):
    done = mine(
        name, "--input", "lines.csv", "--columns", COLUMNS, "--output", "result.parquet", "--report", "report.json"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(report) >= {"model", "parameters", "metrics", "as_of", "rows"}
    assert (report["model"], report["as_of"]) == (name, "2025-03-09")
    assert report["parameters"] == models()[name].parameters().as_dict()
    assert report["rows"] == {
        "result": 2,
        "read": 5,
        "used": 3,
        "without_customer": 1,
        "unreadable_date": 1,
        "unreadable_amount": 0,
        "broken_lines": 0,
    }
    assert pyarrow.parquet.read_table(tmp_path / "result.parquet").num_rows == 2
    assert "first in row 6 ('someday')" in done.stderr


def test_parameters_and_date_are_options(mine, tmp_path):
    done = mine(
        "value",
        "--input",
        "lines.csv",
        "--columns",
        COLUMNS,
        "--as-of",
        "2025-03-01",
        "--window-days",
        "10",
        "--output",
        "result.csv",
        "--report",
        "report.json",
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "result.csv").open(encoding="utf-8") as file:
        (only,) = csv.DictReader(file)
    assert (only["customer"], only["monetary"], only["recency_days"]) == ("陳大文", "80.0000", "0")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (report["as_of"], report["parameters"]["window_days"]) == ("2025-03-01", 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--columns", "customer=who,date=day,amount=paid"],
            "has no column who; there are: member, day, paid, basket.",
        ),
        (["--columns", "customer=member,date=day"], "--columns lacks amount"),
        (["--columns", COLUMNS, "--as-of", "yesterday"], "--as-of is 'yesterday'; write it as YYYY-MM-DD"),
        (["--columns", COLUMNS, "--vip-share", "7"], "vip_share is 7.0; it must be at most 1."),
        (["--columns", COLUMNS, "--by", "luck"], "by is 'luck'; choose one of revenue, profit."),
        (["--columns", COLUMNS, "--output", "no/result.csv"], "The folder no does not exist."),
        (["--columns", COLUMNS, "--output", "result.doc"], "result.doc must end in .csv or .parquet."),
    ],
)
def test_bad_input_is_refused_with_a_remedy_and_nothing_written(tmp_path, monkeypatch, arguments, message):
    (tmp_path / "lines.csv").write_text(LINES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["value", "--input", "lines.csv", *arguments])
    assert done.exit_code == 2
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["lines.csv"]


@pytest.mark.parametrize(
    ("model", "columns", "text"),
    [
        ("forecast", "date=day,value=sold", "day,sold\n2024-01-01,5\n2024-03-09,7\n2150-01-01,1\n"),
        ("survival", "customer=who,start=day,end=last", "who,day,last\na,2024-01-01,2024-03-09\nb,2024-02-01,\n"),
    ],
)
def test_a_table_with_days_is_looked_at_as_of_its_latest_day_that_has_come(tmp_path, monkeypatch, model, columns, text):
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [model, "--input", "rows.csv", "--columns", columns, "--report", "report.json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["as_of"] == "2024-03-09"


def test_a_role_that_is_named_twice_is_refused(tmp_path, monkeypatch):
    (tmp_path / "lines.csv").write_text(LINES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["value", "--input", "lines.csv", "--columns", COLUMNS + ",customer=basket"])
    assert done.exit_code == 2
    assert "--columns names customer twice; one column is one role." in done.stderr


def test_a_figure_without_end_is_null_in_the_report():
    report = {"metrics": {"lift": float("inf"), "share": 0.5}, "series": {"curve": [[0.0, float("nan")]]}, "notes": []}
    assert _strict(report) == {"metrics": {"lift": None, "share": 0.5}, "series": {"curve": [[0.0, None]]}, "notes": []}


def test_a_day_to_come_does_not_become_the_day_that_is_looked_at(tmp_path, monkeypatch):
    (tmp_path / "lines.csv").write_text("member,day,paid\n1,2024-03-09,5\n2,2150-01-01,7\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    arguments = ["value", "--input", "lines.csv", "--columns", "customer=member,date=day,amount=paid"]
    done = CliRunner().invoke(app, [*arguments, "--report", "report.json"])
    assert done.exit_code == 0, done.stderr
    assert "Rows dated after 2024-03-09, up to 2150-01-01, are to come and not looked at" in done.stderr
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (report["as_of"], report["rows"]["result"]) == ("2024-03-09", 1)
    assert CliRunner().invoke(app, [*arguments, "--as-of", "2150-01-01", "--report", "report.json"]).exit_code == 0
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["as_of"] == "2150-01-01"
