"""The commands of daily use on an installation that nobody started: they start the database and leave it as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from patron_installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    installation = Installation()
    yield installation
    installation.destroy()


@pytest.fixture(scope="module")
def said_of_mei(installation: Installation) -> str:
    """What the command says when it makes the first administrator."""
    return installation.must(
        "createstaff", "mei", "--name", "陳美", variables={"PATRON_STAFF_PASSWORD": "a long and winding road"}
    )


def test_createstaff_makes_the_first_administrator_of_a_new_installation(
    installation: Installation, said_of_mei: str
) -> None:
    assert said_of_mei == "mei may sign in now, as administrator.\n"
    assert installation.ask("SELECT username, name, role FROM accounts_staff") == [("mei", "陳美", "administrator")]
    assert not installation.server.is_running()


@pytest.mark.parametrize(
    ("arguments", "password", "words"),
    [
        (("mei",), "a long and winding road", "Somebody already has this username."),
        (("lei", "--role", "king"), "a long and winding road", "There is no role “king”. There are: administrator, "),
        (("lei", "--branch", "X9"), "a long and winding road", "There is no branch with the code X9."),
        (("lei",), "password", "This password is too short."),
    ],
)
@pytest.mark.usefixtures("said_of_mei")
def test_createstaff_refuses_with_a_reason(
    installation: Installation, arguments: tuple[str, ...], password: str, words: str
) -> None:
    refused = installation.run("createstaff", *arguments, variables={"PATRON_STAFF_PASSWORD": password})

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"patron: {words}")
    assert installation.ask("SELECT count(*) FROM accounts_staff") == [(1,)]


def test_import_takes_a_file_and_puts_bad_rows_aside(installation: Installation, tmp_path: Path) -> None:
    file, errors = tmp_path / "分店.csv", tmp_path / "errors.csv"
    file.write_bytes("code,name,city\nKLN,九龍店,香港\nTST,尖沙咀店,香港\n,無名,香港\n".encode("big5"))

    said = installation.must("import", "branches", str(file), "--errors", str(errors))

    assert "3 rows" in said
    assert "2 go in, 1 rejected, 0 left out" in said
    assert "2 added, 0 updated, 0 unchanged" in said
    assert "無名" in errors.read_text(encoding="utf-8-sig")
    assert installation.ask("SELECT code, name FROM accounts_branch ORDER BY code") == [
        ("KLN", "九龍店"),
        ("TST", "尖沙咀店"),
    ]

    again = installation.must("import", "branches", str(file))

    assert "0 added, 0 updated, 2 unchanged" in again


def test_import_dry_run_writes_nothing(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "branches.csv"
    file.write_text("code,name\nNEW,New branch\n", encoding="utf-8")
    before = installation.ask("SELECT count(*) FROM accounts_branch")

    said = installation.must("import", "branches", str(file), "--dry-run")

    assert "1 go in, 0 rejected, 0 left out" in said
    assert installation.ask("SELECT count(*) FROM accounts_branch") == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rockets", "FILE"), "There is no import of “rockets”. There are: "),
        (("branches", "FILE", "--column", "name"), "--column name: write it like --column name=value"),
        (("branches", "FILE", "--column", "name=Titel"), "The file has no column “Titel”. It has: code, name."),
        (("branches", "missing.csv"), "missing.csv is not a file."),
    ],
)
def test_import_refuses_with_a_reason(
    installation: Installation, arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    file = tmp_path / "branches.csv"
    file.write_text("code,name\nNEW,New branch\n", encoding="utf-8")

    refused = installation.run("import", *(str(file) if word == "FILE" else word for word in arguments))

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"patron: {words}")
    assert "Traceback" not in refused.stderr


def test_refresh_makes_a_warehouse_and_finds_nothing_new_afterwards(installation: Installation) -> None:
    assert "Refreshed as of" in installation.must("refresh")
    assert ": unchanged, 0 rows read" in installation.must("refresh")
    assert ": full (asked for)" in installation.must("refresh", "--full")


def test_doctor_finds_a_used_installation_in_order(installation: Installation) -> None:
    said = installation.must("doctor")

    assert "in step with the program" in said
    assert "Everything needed is in order." in said


def test_doctor_fails_on_a_secret_that_others_can_read(installation: Installation) -> None:
    secret = installation.home / "secret_key"
    secret.chmod(0o644)
    try:
        doctor = installation.run("doctor")
    finally:
        secret.chmod(0o600)

    assert doctor.returncode == 1
    assert "chmod 600" in doctor.stdout
