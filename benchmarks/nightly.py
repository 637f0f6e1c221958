"""The night's work of a filled installation: seconds and peak memory of the refresh and of each analysis.

    python -m benchmarks.nightly --sizes 10000,100000     installations of these sizes, one after the other
    python -m benchmarks.nightly --here [--only NAMES]    what PATRON_HOME holds, as it stands
    python -m benchmarks.nightly --day FOLDER             its refreshes with nothing new, and with 1 % more of FOLDER

Every analysis runs in a process of its own, so that each has its own peak; all of them on the same warehouse, in the
order of the night. `publish` is what writing the insights into PostgreSQL took (part of the seconds).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CHURN_DAYS = 90
LAST_DAY = datetime.now(UTC).date() - timedelta(1)
NOTHING_NEW, MORE = "refresh, nothing new", "refresh, 1 % more lines"
BUDGET = "each ≤ 120 s and ≤ 6 GB at 1 M customers"


@dataclass(frozen=True, slots=True)
class Measured:
    """One process: what it said of itself, its seconds and its largest memory in GB."""

    told: Mapping[str, Any]
    seconds: float
    cpu: float
    gigabytes: float


def measured(*arguments: str) -> Measured:
    """Run this module in a process of its own, which prints one line of JSON at the end."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.nightly", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with process:
        said = process.stdout.read() if process.stdout is not None else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    told = json.loads(said.splitlines()[-1]) if process.returncode == 0 else {"status": f"exit {process.returncode}"}
    cpu = used.ru_utime + used.ru_stime
    return Measured(told, time.perf_counter() - begun, cpu, used.ru_maxrss / 1e6)


def refresh_here() -> dict[str, Any]:
    """One refresh: its mode and its seconds by step."""
    from patron.intelligence.insights.refresh import refresh
    from patron.kernel import clock

    done = refresh(now=clock.now())
    return {"status": done.mode, "seconds": done.total_seconds, "steps": dict(done.seconds)}


def analyse_here(name: str) -> dict[str, Any]:
    """One analysis without those it needs: their results are there."""
    from patron.core.customers.operations import insights
    from patron.intelligence.insights.analyses.registry import analyses
    from patron.intelligence.insights.suite import run_analyses
    from patron.kernel import clock

    publish, spent = insights.publish_insights, [0.0]

    def timed(**arguments: Any) -> Any:
        begun = time.perf_counter()
        try:
            return publish(**arguments)
        finally:
            spent[0] += time.perf_counter() - begun

    insights.publish_insights = timed
    (outcome,) = run_analyses(now=clock.now(), among={name: analyses()[name]})
    return {"status": outcome.status, "seconds": outcome.seconds, "publish": spent[0], "why": outcome.why}


def prepare_here() -> dict[str, Any]:
    """Leaving within 90 days: two years are too short for the horizon that so slow a rhythm would have."""
    from patron.intelligence.insights.operations import change_model_parameters
    from patron.kernel import clock
    from patron.kernel.actor import system

    change_model_parameters(
        actor=system("benchmark"), now=clock.now(), model="churn", parameters={"horizon_days": CHURN_DAYS}
    )
    return {"status": "prepared"}


def names_here() -> dict[str, Any]:
    """The analyses in the order of the night."""
    from patron.intelligence.insights.analyses.registry import analyses

    return {"names": list(analyses())}


def night(only: Sequence[str] = ()) -> dict[str, Measured]:
    """The refresh, then every analysis, of the installation in PATRON_HOME; prints each as it is done."""
    found = {}
    measured("--run", "prepare")
    names = [name for name in measured("--run", "names").told["names"] if not only or name in only]
    for name in names if only else ["refresh", *names]:
        found[name] = told(name, measured("--run", name))
    return found


def day(place: Any, folder: Path) -> dict[str, Measured]:
    """The refreshes of the day after: with nothing new, and with one per cent more lines."""
    found = {NOTHING_NEW: told(NOTHING_NEW, measured("--run", "refresh"))}
    write_files(folder, "--more")
    place.run("import", "purchases", str(folder / "more.parquet"), "--source", "pos")
    found[MORE] = told(MORE, measured("--run", "refresh"))
    return found


def told(name: str, done: Measured) -> Measured:
    """The same, printed."""
    publish = done.told.get("publish", 0.0)
    print(
        f"  {name:<24} {done.seconds:>8.1f} s  cpu {done.cpu:>7.1f} s  publish {publish:>6.1f} s "
        f"{done.gigabytes:>6.2f} GB  {done.told['status']:<12} {str(done.told.get('why', ''))[:90]}",
        flush=True,
    )
    for step, seconds in done.told.get("steps", {}).items():
        print(f"      {step:<30} {seconds:>8.1f} s")
    return done


def write_files(folder: Path, *arguments: str) -> None:
    """In a process of its own: what is measured later would count the memory of this one."""
    command = [sys.executable, "-m", "benchmarks.house", str(folder), "--until", str(LAST_DAY), *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


def fill(place: Any, folder: Path, *, customers: int) -> None:
    """A house of so many customers into the installation `place`, as a retailer would bring it."""
    write_files(folder, "--customers", str(customers))
    place.run("import", "branches", str(folder / "branches.csv"), "--source", "pos")
    place.run("import", "products", str(folder / "products.csv"), "--source", "pos")
    place.run("import", "customers", str(folder / "customers.csv"), "--source", "pos")
    place.run("import", "purchases", str(folder / "purchases.parquet"), "--source", "pos")


def table(nights: Mapping[int, Mapping[str, Measured]]) -> str:
    """How cost grows with the number of customers, in Markdown: seconds (of CPU), and largest memory."""
    sizes = sorted(nights)
    heads = " | ".join(f"{size:,}" for size in sizes)
    lines = [f"| | {heads} |", "|---|" + "---|" * len(sizes)]
    for name in nights[sizes[-1]]:
        cells = [
            f"{each.seconds:,.0f} s ({each.cpu:,.0f}), {each.gigabytes:.1f} GB" + _remark(each)
            for each in (nights[size][name] for size in sizes)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    whole = (f"{sum(each.seconds for each in nights[size].values()):,.0f} s" for size in sizes)
    return "\n".join([*lines, f"| together | {' | '.join(whole)} |"])


def _remark(done: Measured) -> str:
    status = str(done.told["status"])
    return "" if status in ("promoted", "full", "incremental", "unchanged") else f" ({status.replace('_', ' ')})"


def nightly(sizes: Sequence[int]) -> None:
    """Fill an installation of each size, measure its night, and print the table of all."""
    from benchmarks.__main__ import Installation
    from patron.kernel.embedded import EmbeddedServer

    nights = {}
    for customers in sizes:
        print(f"A night with {customers:,} customers: {BUDGET}", flush=True)
        with tempfile.TemporaryDirectory(prefix="patron-bench-") as home:
            place = Installation(Path(home))
            server = EmbeddedServer(place.home / "postgres")
            try:
                with server.lease():
                    place.run("manage", "migrate", "--verbosity", "0")
                    fill(place, place.home / "files", customers=customers)
                    os.environ |= {"PATRON_HOME": home, "PATRON_LOG_LEVEL": "ERROR"}
                    nights[customers] = night()
                    place.script("pages", "--analyses")
                    nights[customers] |= day(place, place.home / "files")
            finally:
                server.destroy()
    print(table(nights))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--here", action="store_true", help="the installation in PATRON_HOME")
    parser.add_argument("--only", default="", help="with --here: these analyses, by comma")
    parser.add_argument("--day", type=Path, help="the files that the installation in PATRON_HOME was made of")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.run:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "patron.config.settings")
        import django

        django.setup()
        own = {"prepare": prepare_here, "refresh": refresh_here, "names": names_here}
        print(json.dumps(own[chosen.run]() if chosen.run in own else analyse_here(chosen.run), default=str))
    elif chosen.day:
        from benchmarks.__main__ import Installation

        day(Installation(Path(os.environ["PATRON_HOME"])), chosen.day)
    elif chosen.here:
        night([name for name in chosen.only.split(",") if name])
    else:
        nightly([int(size) for size in chosen.sizes.split(",")])


if __name__ == "__main__":
    main()
