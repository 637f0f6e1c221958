"""`make bench`: the figures that the product promises, measured on this machine.

    python -m benchmarks                     the demo's year, half a million lines in one file, 100,000 customers
    python -m benchmarks --full              the same with 1,000,000 customers and 20,000,000 lines (two hours)

Every command runs as its own process on an installation of its own, which is deleted at the end. Times are wall-clock
of whole processes; rates are rows per second of them. `make bench` installs the peers that the models are compared
with into a virtual environment of their own (PATRON_PEERS).
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from patron.config.demo.files import write_demo_files
from patron.kernel.embedded import EmbeddedServer

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Installation:
    """A home of its own with a running database."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PATRON_HOME": str(self.home), "PATRON_LOG_LEVEL": "ERROR", "PYTHONUTF8": "1"}

    def run(self, *arguments: str) -> float:
        """Run `patron …` and return its seconds; stops the benchmark when it fails."""
        started = time.perf_counter()
        command = [sys.executable, "-m", "patron.config.cli", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"patron {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
        return time.perf_counter() - started

    def script(self, name: str, *arguments: str) -> None:
        """Run a benchmark module inside the installation; it prints its own figures."""
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        subprocess.run(command, env=self.environment, cwd=ROOT, check=True)


def say(what: str, figure: str, budget: str = "") -> None:
    print(f"  {what:<52} {figure:>22}   {budget}", flush=True)


def seconds(value: float) -> str:
    return f"{value:,.1f} s"


def rate(rows: int, took: float, unit: str) -> str:
    return f"{rows / took:,.0f} {unit}/s"


def peak_gigabytes() -> str:
    """The largest process so far, in GB (Linux counts kilobytes)."""
    return f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6:,.2f} GB"


def demo(place: Installation, folder: Path) -> None:
    print("The demo company: 2,469 members, 155,848 purchases, 1,469,307 lines")
    files = write_demo_files(folder, today=date.today())  # noqa: DTZ011 (any day will do)
    place.script("programme")
    place.run("import", "branches", str(files.branches), "--source", "pos")
    place.run("import", "products", str(files.products), "--source", "pos")
    place.run("import", "customers", str(files.customers), "--source", "pos", "--option", "enrol=yes")
    took = place.run("import", "purchases", str(files.purchases), "--source", "pos")
    say("purchase lines with ledger entries", seconds(took), "≤ 60 s")
    say("", rate(1_469_307, took, "lines"))
    say("the same file again", seconds(place.run("import", "purchases", str(files.purchases), "--source", "pos")))
    say("full refresh", seconds(place.run("refresh")), "≤ 20 s")
    say("refresh with nothing new", seconds(place.run("refresh")), "≤ 2 s")


def one_file(place: Installation, folder: Path) -> None:
    print("One file in which customers and products only appear in the lines: 541,909 lines")
    subprocess.run([sys.executable, str(ROOT / "benchmarks" / "generate.py"), str(folder), "--one-file"], check=True)
    took = place.run("import", "purchases", str(folder / "one_file.csv"), "--source", "shop")
    say("import in one go", rate(541_909, took, "lines"), "≥ 20,000 lines/s")


def scale(place: Installation, folder: Path, *, customers: int, lines: int) -> None:
    print(f"Generated: {customers:,} customers, {lines:,} lines")
    command = [sys.executable, str(ROOT / "benchmarks" / "generate.py"), str(folder)]
    subprocess.run([*command, "--customers", str(customers), "--lines", str(lines)], check=True)
    place.run("import", "branches", str(folder / "branches.csv"), "--source", "big")
    took = place.run("import", "customers", str(folder / "customers.csv"), "--source", "big")
    say("customers, search terms included", rate(customers, took, "customers"), "≥ 20,000 customers/s")
    took = place.run("import", "purchases", str(folder / "purchases.parquet"), "--source", "big")
    say("purchases", rate(lines, took, "lines"), "≥ 60,000 lines/s")
    say("full refresh", seconds(place.run("refresh", "--full")), "≤ 180 s at 20 M lines")
    say("largest process so far", peak_gigabytes(), "≤ 4 GB")
    place.script("pages")


def loyalty(place: Installation, *, members: int) -> None:
    print(f"The loyalty programme: {members:,} members, and tills over HTTP")
    place.script("loyalty", str(members))
    place.script("till")


def models(customers: int) -> None:
    print(f"Value and life cycle against plain SQL: {customers:,} customers")
    command = [sys.executable, str(ROOT / "benchmarks" / "mining.py"), "--customers", str(customers)]
    subprocess.run(command, check=True)


def suite(*, full: bool) -> None:
    """The models with a budget, each beside a peer or a bare fit on the same data; rows for 10⁴ to 10⁶ with `full`."""
    customers = str(1_000_000 if full else 100_000)
    for title, name, *arguments in (
        ("Lifetime value: 770,000 repeat customers ≤ 2 s; lifetimes beside it", "clv"),
        ("Association rules ≤ 4 s and 1 GB, sequences ≤ 10 s; mlxtend beside them", "patterns"),
        ("Groups: 1 M × 5 with choice of k ≤ 20 s; scikit-learn beside them", "clusters", "--customers", customers),
        (
            "Churn: features, fit, back-test of 20 M lines ≤ 60 s",
            "churn",
            "--customers",
            customers,
            *["--table"] * full,
        ),
    ):
        print(title, flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], cwd=ROOT, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="1 M customers and 20 M lines")
    parts = ("demo", "one-file", "loyalty", "scale", "models", "suite", "nightly")
    parser.add_argument("--only", choices=parts, help="one part")
    chosen = parser.parse_args()
    customers, lines = (1_000_000, 20_000_000) if chosen.full else (100_000, 2_000_000)
    for name, work in (
        ("demo", demo),
        ("one-file", one_file),
        ("loyalty", lambda place, _folder: loyalty(place, members=customers if chosen.full else 50_000)),
        ("scale", lambda place, folder: scale(place, folder, customers=customers, lines=lines)),
    ):
        if chosen.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory(prefix="patron-bench-") as home:
            place = Installation(Path(home))
            server = EmbeddedServer(place.home / "postgres")
            try:
                with server.lease():
                    place.run("manage", "migrate", "--verbosity", "0")
                    work(place, place.home / "files")
            finally:
                server.destroy()
    if chosen.only in (None, "models"):
        models(customers)
    if chosen.only in (None, "suite"):
        suite(full=chosen.full)
    if chosen.only in (None, "nightly"):
        sizes = "10000,100000,1000000" if chosen.full else "10000,100000"
        subprocess.run([sys.executable, "-m", "benchmarks.nightly", "--sizes", sizes], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
