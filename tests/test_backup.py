"""`patron backup` and `patron restore`: what went in comes out, and nothing is half-done."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from patron_installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def original() -> Iterator[Installation]:
    """An installation with branches of many transactions, staff, an upload and a key."""
    installation = Installation()
    installation.must("manage", "migrate", "--verbosity", "0")
    with installation.server.lease() as url, psycopg.connect(url, autocommit=True) as connection:
        for number in range(50):  # transactions, so that stamps lie ahead of those of a new server
            connection.execute(
                "INSERT INTO accounts_branch (code, name, address, city, country, time_zone, opening_hours, phone, "
                "is_active) VALUES (%s, %s, '', '', 'HK', 'Asia/Hong_Kong', '{}', '', true)",
                [f"B{number:02}", f"分店 {number}"],
            )
        connection.execute(
            "INSERT INTO accounts_staff (password, username, name, email, phone, role, language, theme, is_active) "
            "VALUES ('!', 'mei', '陳美', '', '', 'administrator', '', '', true)"
        )
    (installation.home / "media" / "photos").mkdir(parents=True)
    (installation.home / "media" / "photos" / "美.jpg").write_bytes(bytes(range(256)) * 4000)
    (installation.home / "secret_key").write_text("the-key-of-the-original", encoding="ascii")
    yield installation
    installation.destroy()


@pytest.fixture(scope="module")
def file(original: Installation) -> Path:
    path = original.home / "run" / "all.backup"
    path.parent.mkdir(exist_ok=True)
    original.must("backup", str(path))
    return path


@pytest.fixture(scope="module")
def other() -> Iterator[Installation]:
    installation = Installation()
    yield installation
    installation.destroy()


@pytest.fixture(scope="module")
def said_of_restoring(other: Installation, file: Path) -> str:
    """What the command says when it restores into an empty installation."""
    return other.must("restore", str(file))


BRANCHES = "SELECT id, code, name, country, created_at FROM accounts_branch ORDER BY id"


def test_backup_is_private_and_complete_or_absent(original: Installation, file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert not [path for path in file.parent.iterdir() if path.name.startswith(".")]
    with tarfile.open(file) as tar:
        names = tar.getnames()
        assert names[0] == "manifest.json"
        assert names[-1] == "checksums.json"
        assert "home/media/photos/美.jpg" in names
        assert not [name for name in names if name.startswith(("home/postgres", "home/run", "home/log", "home/static"))]

    again = original.run("backup", str(file))

    assert again.returncode == 1
    assert "exists already" in again.stderr


def test_restore_brings_everything_back_into_an_empty_installation(
    original: Installation, other: Installation, said_of_restoring: str
) -> None:
    assert "Restored as of" in said_of_restoring
    assert other.ask(BRANCHES) == original.ask(BRANCHES)
    assert other.ask("SELECT username, name FROM accounts_staff") == [("mei", "陳美")]
    assert (other.home / "media" / "photos" / "美.jpg").read_bytes() == bytes(range(256)) * 4000
    assert (other.home / "secret_key").read_text(encoding="ascii") == "the-key-of-the-original"
    assert other.databases() == ["patron", "postgres"]
    assert other.ask("SELECT count(*) FROM accounts_branch WHERE changed_xid >= pg_current_xact_id()") == [(0,)]
    triggers = "SELECT tgname::text, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    assert other.ask(triggers) == original.ask(triggers)


@pytest.mark.usefixtures("said_of_restoring")
def test_restore_refuses_an_installation_in_use_and_changes_nothing(file: Path, other: Installation) -> None:
    other.must(
        "manage", "shell", "-c", "from patron.core.accounts.models import Branch; Branch.objects.update(name='now')"
    )
    (other.home / "media" / "new.txt").write_text("kept", encoding="utf-8")

    refused = other.run("restore", str(file))

    assert refused.returncode == 1
    assert "is in use. Add --replace" in refused.stderr
    assert other.ask("SELECT DISTINCT name FROM accounts_branch") == [("now",)]
    assert (other.home / "media" / "new.txt").exists()


def test_restore_replaces_an_installation_when_told_to(original: Installation, file: Path, other: Installation) -> None:
    other.must("restore", str(file), "--replace")

    assert other.ask(BRANCHES) == original.ask(BRANCHES)
    assert not (other.home / "media" / "new.txt").exists()
    assert other.databases() == ["patron", "postgres"]


def _cut_short(file: Path, target: Path) -> None:
    target.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _cut_at_a_member(file: Path, target: Path) -> None:
    with tarfile.open(file) as tar:
        last = tar.getmembers()[-1]
    target.write_bytes(file.read_bytes()[: last.offset] + b"\0" * 1024)


def _damage(file: Path, target: Path) -> None:
    with tarfile.open(file) as tar:
        photo = tar.getmember("home/media/photos/美.jpg")
    content = bytearray(file.read_bytes())
    content[photo.offset_data + 5] ^= 1
    target.write_bytes(content)


def _foreign_tar(file: Path, target: Path) -> None:
    with tarfile.open(target, "w") as tar:
        member = tarfile.TarInfo("letter.txt")
        member.size = 2
        tar.addfile(member, io.BytesIO(b"hi"))


def _foreign_text(file: Path, target: Path) -> None:
    target.write_text("name,phone\n", encoding="utf-8")


def _escaping(file: Path, target: Path) -> None:
    with tarfile.open(file) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        content = manifest.read()
    with tarfile.open(target, "w") as tar:
        for name, data in (("manifest.json", content), ("../outside", b"x"), ("checksums.json", b"{}")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def _newer(file: Path, target: Path) -> None:
    with tarfile.open(target, "w") as tar:
        told = {
            "format": 99,
            "product": "patron",
            "version": "9.0",
            "made_at": "",
            "server_version": 1,
            "migrations": [],
        }
        data = json.dumps(told).encode()
        member = tarfile.TarInfo("manifest.json")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_cut_short, "is incomplete"),
        (_cut_at_a_member, "is incomplete"),
        (_damage, "is damaged (first at home/media/photos/美.jpg)"),
        (_foreign_tar, "is not a backup of Patron"),
        (_foreign_text, "is not a backup of Patron"),
        (_escaping, "which no backup of Patron does"),
        (_newer, "was made by a newer Patron (9.0)"),
    ],
)
def test_restore_refuses_a_spoilt_file_and_changes_nothing(
    spoil: object, words: str, file: Path, other: Installation, tmp_path: Path
) -> None:
    before = sorted(path.name for path in other.home.iterdir())
    spoilt = tmp_path / "spoilt.backup"
    assert callable(spoil)
    spoil(file, spoilt)

    refused = other.run("restore", str(spoilt), "--replace")

    assert refused.returncode == 1
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert sorted(path.name for path in other.home.iterdir()) == before
    assert not (tmp_path.parent / "outside").exists()


def test_restore_leaves_no_trace_when_the_database_refuses_the_dump(
    file: Path, other: Installation, tmp_path: Path
) -> None:
    """The dump's table of contents is broken, with checksums that say it was always so."""
    broken = tmp_path / "broken.backup"
    _rewrite(file, broken, {"database/toc.dat": b"PGDMP but then nothing"})

    refused = other.run("restore", str(broken), "--replace")

    assert refused.returncode == 1
    assert "pg_restore failed" in refused.stderr
    assert other.databases() == ["patron", "postgres"]
    assert other.ask("SELECT count(*) FROM accounts_branch") == [(50,)]
    assert not (other.home / "run" / "restore").exists()


def _rewrite(source: Path, target: Path, changed: dict[str, bytes]) -> None:
    import hashlib

    with tarfile.open(source) as tar, tarfile.open(target, "w") as written:
        checksums: dict[str, str] = {}
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            data = changed.get(member.name, content.read())
            if member.name == "checksums.json":
                data = json.dumps(checksums).encode()
            else:
                checksums[member.name] = hashlib.sha256(data).hexdigest()
            member.size = len(data)
            written.addfile(member, io.BytesIO(data))
