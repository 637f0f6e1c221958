"""Loading the demo company: its people by operations, its data through the same intake as any user's files."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from patron.business.loyalty.operations import create_programme
from patron.business.loyalty.queries import has_programme
from patron.business.loyalty.rules.terms import Terms
from patron.config.demo import programme
from patron.config.demo.club import set_up_club
from patron.config.demo.files import SOURCE, DemoFiles, write_demo_files
from patron.core.accounts.operations import create_staff
from patron.core.accounts.queries import get_branches_by_code, has_staff
from patron.core.accounts.rules import Role
from patron.kernel import clock
from patron.kernel.actor import Actor, system
from patron.kernel.intake.engine import import_file
from patron.kernel.intake.reports import Report

PASSWORD = "patron-demo-2026"  # noqa: S105 (printed at start-up: the demo is for looking around)
BUSIEST_BRANCHES = ("367", "406", "343", "361", "381")
RULES_FROM = datetime(2000, 1, 1, tzinfo=UTC)

Tell = Callable[[str], None]


class SignIn(NamedTuple):
    """Someone of the demo company who may sign in."""

    username: str
    password: str
    role: str


@dataclass(frozen=True, slots=True)
class _Person:
    username: str
    name: str
    role: Role
    language: str = ""
    at_branch: bool = False


STAFF = (
    _Person("admin", "陳家樂 Admin", Role.ADMINISTRATOR),
    _Person("executive", "何慧敏 Executive", Role.EXECUTIVE),
    _Person("marketer", "林嘉欣 Marketer", Role.MARKETER),
    _Person("analyst", "Alex Turing", Role.ANALYST),
    _Person("manager", "黃志強 Branch manager", Role.BRANCH_MANAGER, at_branch=True),
    _Person("cashier", "李美儀 Cashier", Role.CASHIER, at_branch=True),
    _Person("sales", "周文傑 Sales", Role.SALES_REP, at_branch=True),
    _Person("service", "吳詠詩 Service", Role.SERVICE_AGENT),
)


def load(*, tell: Tell = lambda _text: None) -> list[SignIn]:
    """Load the demo company unless it is there, and say who may sign in.

    Safe to repeat and to interrupt: imports resume, and what is there is left as it is. Raises DemoDataMissingError
    without the extra `demo`.
    """
    now = clock.now()
    actor = system("demo")
    folder = Path(settings.HOME) / "demo"
    if not (folder / "loaded").exists():
        _load_files(_files(folder, now), actor=actor, now=now, tell=tell)
        _create_staff(actor=actor, now=now)
        started = time.perf_counter()
        set_up_club(branch_codes=BUSIEST_BRANCHES, actor=actor, now=clock.now())
        tell(f"club: {time.perf_counter() - started:.1f} s")
        for file in folder.glob("*.*"):
            file.unlink()
        (folder / "loaded").touch()
    return [SignIn(person.username, PASSWORD, str(person.role)) for person in STAFF]


def _files(folder: Path, now: datetime) -> DemoFiles:
    """The files of the first attempt, where it was interrupted: written anew on another day they would be others."""
    written = folder / "written.on"
    today = clock.today(now)
    if written.exists():
        today = datetime.fromisoformat(written.read_text(encoding="ascii")).date()
    else:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        written.write_text(today.isoformat(), encoding="ascii")
    return write_demo_files(folder, today=today)


def _load_files(files: DemoFiles, *, actor: Actor, now: datetime, tell: Tell) -> None:
    if not has_programme():
        create_programme(
            code=programme.CODE,
            name=programme.NAME,
            currency=settings.CURRENCY,
            rules_from=RULES_FROM,
            terms=Terms.read(programme.OPENING),
            actor=actor,
            now=now,
        )
    for kind, path in (
        ("branches", files.branches),
        ("products", files.products),
        ("customers", files.customers),
        ("purchases", files.purchases),
    ):
        report = import_file(kind, path, actor=actor, now=now, source=SOURCE, options=_options(kind))
        tell(f"{kind}: {_summary(report)}")


def _options(kind: str) -> dict[str, str]:
    return {"enrol": "yes"} if kind == "customers" else {}


def _summary(report: Report) -> str:
    return f"{report.rows:,} rows, {report.added:,} added, {report.rejected:,} rejected, {report.seconds:.1f} s"


def _create_staff(*, actor: Actor, now: datetime) -> None:
    if has_staff():
        return
    home = get_branches_by_code(BUSIEST_BRANCHES[:1])
    for person in STAFF:
        create_staff(
            username=person.username,
            name=person.name,
            role=person.role,
            password=PASSWORD,
            branches=home if person.at_branch else [],
            actor=actor,
            now=now,
        )
