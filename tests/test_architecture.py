"""The house rules, checked by machine."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.template import engines
from django.template.loader import get_template

import patron

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "patron"
PYTHON_FILES = [p for p in SOURCE.rglob("*.py") if "migrations" not in p.parts]
TEMPLATES = sorted(p for p in SOURCE.rglob("templates/**/*.html"))
FILE_LIMIT, TEST_LIMIT = 500, 700
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def _modules(name: str) -> Iterator[ModuleType]:
    """Every module called `name`, and every module of a package called so."""
    for info in pkgutil.walk_packages(patron.__path__, "patron."):
        parts = info.name.split(".")
        if name in parts and "tests" not in parts and "migrations" not in parts:
            yield importlib.import_module(info.name)


def test_floors_and_rooms_import_only_downwards() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_floor_that_imports_upwards_is_found(tmp_path: Path) -> None:
    copy = tmp_path / "patron"
    subprocess.run(["cp", "-r", str(SOURCE), str(copy)], check=True)
    with (copy / "core" / "customers" / "models.py").open("a", encoding="utf-8") as file:
        file.write("\nfrom patron.business.purchases import models as _upwards  # noqa\n")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "patron.core.customers.models -> patron.business.purchases" in done.stdout


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_file_is_short_enough_to_be_read(path: Path) -> None:
    limit = TEST_LIMIT if "tests" in path.parts else FILE_LIMIT
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit, "split it by topic"


def test_every_public_operation_goes_through_the_door() -> None:
    missing = [
        f"{module.__name__}.{name}"
        for module in _modules("operations")
        for name, member in vars(module).items()
        if inspect.isfunction(member)
        and not name.startswith("_")
        and member.__module__ == module.__name__
        and not hasattr(member, "operation")
    ]
    assert missing == []


def test_views_and_api_never_touch_tables() -> None:
    forbidden = re.compile(r"^\s*from patron\.[a-z_.]+\.models import", re.MULTILINE)
    guilty = [
        str(p.relative_to(SOURCE))
        for p in PYTHON_FILES
        if (p.name in {"views.py", "api.py"} or "views" in p.parts[:-1])
        and "queries" not in p.parts
        and "tests" not in p.parts
        and forbidden.search(p.read_text(encoding="utf-8"))
    ]
    assert guilty == []


def test_no_view_or_query_reads_the_wall_clock() -> None:
    clock = re.compile(r"datetime\.now\(|timezone\.now\(|date\.today\(|datetime\.utcnow\(")
    guilty = [
        str(p.relative_to(SOURCE))
        for p in PYTHON_FILES
        if p.name != "clock.py"
        and "tests" not in p.parts
        and "cli" not in p.parts
        and "mining" not in p.parts
        and clock.search(p.read_text(encoding="utf-8"))
    ]
    assert guilty == [], "take `now` as an argument; only patron.kernel.clock reads the clock"


def test_system_checks_find_nothing() -> None:
    assert run_checks() == []


@pytest.mark.django_db
def test_migrations_are_in_step_with_the_models() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_there_are_templates_to_compile() -> None:
    assert len(TEMPLATES) > 20


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_template_compiles_and_holds_no_inline_script_or_style(path: Path) -> None:
    name = str(path).split("/templates/", 1)[1]
    get_template(name)
    text = path.read_text(encoding="utf-8")
    assert engines["django"] is not None
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), "scripts are files"
    assert not re.search(r"<style\b|\sstyle=", text), "styles are classes"
    assert not re.search(r"\son[a-z]+=", text), "behaviour is a Stimulus controller"


@pytest.mark.parametrize("folder", ["docs", "src", "tests", "benchmarks"])
def test_repository_names_no_machine(folder: str) -> None:
    private = re.compile(r"(?<![\w.])/(?:work|root|farm)/")
    guilty = [
        str(p.relative_to(ROOT))
        for p in (ROOT / folder).rglob("*")
        if p.is_file()
        and p.suffix in {".py", ".md", ".html", ".js", ".css", ".toml", ".json"}
        and p != Path(__file__)
        and private.search(p.read_text(encoding="utf-8"))
    ]
    assert guilty == []
