"""The embedded server with real processes: started, killed, found again, shared, stopped."""

import multiprocessing
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from patron.kernel import embedded_host
from patron.kernel.embedded import EmbeddedServer, EmbeddedServerError, default_url


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the server's account can reach, as a root's home in a public place would be."""
    path = Path(tempfile.mkdtemp(prefix="patron-embedded-"))
    path.chmod(0o711)
    yield path
    EmbeddedServer(path / "postgres").destroy()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(home: Path) -> EmbeddedServer:
    return EmbeddedServer(home / "postgres", fast=True)


def _ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def _postmaster(server: EmbeddedServer) -> int:
    return int((server.data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])


def test_start_makes_a_database_of_equal_behaviour_everywhere(server: EmbeddedServer, home: Path) -> None:
    url = server.start()

    assert url == server.url() == default_url(home)
    assert int(str(_ask(url, "SHOW server_version_num"))) >= 180_000
    assert _ask(
        url, "SELECT pg_encoding_to_char(encoding) || ' ' || datlocale FROM pg_database WHERE datname = 'patron'"
    ) == ("UTF8 C.UTF-8")
    assert _ask(url, "SELECT upper('é') || ' ' || lower('Ü')") == "É ü"
    assert _ask(url, "SHOW listen_addresses") == ""
    assert _ask(url, "SHOW TimeZone") == "UTC"
    assert stat.S_IMODE(server.layout.socket_dir.stat().st_mode) == 0o700


def test_stop_leaves_nothing_running_and_start_finds_the_data_again(server: EmbeddedServer) -> None:
    with psycopg.connect(server.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    server.stop()

    assert not server.is_running()
    assert _ask(server.start(), "SELECT number FROM kept") == 7


def test_start_uses_a_server_that_runs_already(server: EmbeddedServer) -> None:
    server.start()
    before = _postmaster(server)

    EmbeddedServer(server.wanted_dir, fast=True).start()

    assert _postmaster(server) == before


def test_start_recovers_everything_committed_when_the_server_was_killed(home: Path) -> None:
    server = EmbeddedServer(home / "postgres")
    with psycopg.connect(server.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(_postmaster(server), signal.SIGKILL)

    url = EmbeddedServer(server.wanted_dir).start(timeout=60)

    assert _ask(url, "SELECT number FROM kept") == 7


def test_start_is_not_misled_by_a_stranger_with_the_old_process_id(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    (server.data_dir / "postmaster.pid").write_text(
        f"{os.getpid()}\n{server.data_dir}\n0\n5432\n\n\n0 0\nready\n", "utf-8"
    )

    assert not server.is_running()
    assert _ask(server.start(timeout=60), "SELECT 1") == 1


def test_ensure_initialised_makes_good_an_interrupted_attempt(server: EmbeddedServer) -> None:
    half_done = server.wanted_dir.with_name("postgres.new")
    half_done.mkdir()
    (half_done / "PG_VERSION").write_text("18\n", encoding="ascii")

    server.ensure_initialised()

    assert (server.data_dir / "global" / "pg_control").exists()
    assert not half_done.exists()


def test_start_tells_the_reason_when_the_server_refuses(server: EmbeddedServer) -> None:
    server.ensure_initialised()
    (server.data_dir / "postgresql.conf").write_text("nonsense = yes please\n", encoding="utf-8")

    with pytest.raises(EmbeddedServerError, match=r"(?s)did not start.*postgres\.log.*nonsense|syntax error"):
        server.start(timeout=20)

    assert not server.is_running()


def test_lease_stops_the_server_when_the_last_holder_leaves(server: EmbeddedServer) -> None:
    with server.lease():
        with EmbeddedServer(server.wanted_dir, fast=True).lease() as url:
            assert _ask(url, "SELECT 1") == 1
        assert server.is_running()
    assert not server.is_running()


def _hold_lease(data_dir: Path, told: "multiprocessing.connection.Connection[str, str]") -> None:
    with EmbeddedServer(data_dir, fast=True).lease() as url:
        told.send(url)
        time.sleep(60)


def test_lease_of_a_killed_process_does_not_keep_the_server_up(server: EmbeddedServer) -> None:
    reader, writer = multiprocessing.get_context("spawn").Pipe(duplex=False)
    holder = multiprocessing.get_context("spawn").Process(target=_hold_lease, args=(server.wanted_dir, writer))
    holder.start()
    reader.recv()
    holder.kill()
    holder.join()
    assert server.is_running()

    with server.lease() as url:
        assert _ask(url, "SELECT 1") == 1

    assert not server.is_running()


def test_start_in_a_deep_directory_uses_a_short_socket_path(home: Path) -> None:
    deep = home / ("很深的目錄" * 8)
    deep.mkdir()
    server = EmbeddedServer(deep / "postgres", fast=True)
    try:
        assert _ask(server.start(), "SELECT 1") == 1
        assert len(os.fsencode(server.layout.socket_dir)) <= embedded_host.LONGEST_SOCKET_DIRECTORY
        assert stat.S_IMODE(server.layout.socket_dir.stat().st_mode) == 0o700
    finally:
        server.destroy()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_root_keeps_the_data_elsewhere_when_the_account_cannot_reach_the_home(home: Path) -> None:
    home.chmod(0o700)
    server = EmbeddedServer(home / "postgres", fast=True)
    announced = default_url(home)

    url = server.start()

    assert url == announced == default_url(home)
    assert server.data_dir.is_relative_to(embedded_host.ROOT_BASE)
    assert (home / "postgres" / "LOCATION").read_text(encoding="utf-8").strip() == str(server.data_dir)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert _ask(url, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_root_does_not_take_over_data_of_a_home_that_was_deleted(home: Path) -> None:
    home.chmod(0o700)
    first = EmbeddedServer(home / "postgres", fast=True)
    first.ensure_initialised()
    left_over = first.data_dir
    (home / "postgres" / "LOCATION").unlink()

    second = EmbeddedServer(home / "postgres", fast=True)

    assert second.data_dir == left_over.with_name(f"{left_over.name}-2")
    embedded_host.own_directory(left_over, None)
    EmbeddedServer(left_over).destroy()


def test_embedded_modules_need_no_django() -> None:
    import subprocess
    import sys

    code = "import sys, patron.kernel.embedded; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
