"""Speed of churn: figures, fit, back-test and scores, beside the bare fit of histogram boosting on the same rows.

    python -m benchmarks.churn [--customers 1000000] [--lines-per-purchase 3] [--table] [--keep FOLDER]

A million customers make about 7 million purchases and 22 million lines in 540 days: everybody has a rhythm of 10 to
90 days, and a day after which they come no more. `--table` measures ten thousand, a hundred thousand and a million,
each in a process of its own, and prints how the cost grows.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis

from patron.intelligence.mining.arrays import day_number
from patron.intelligence.mining.churning.features import Behaviour
from patron.intelligence.mining.churning.fitting import training_rows
from patron.intelligence.mining.churning.schedule import ChurnParameters, schedule
from patron.intelligence.mining.churning.study import study
from patron.intelligence.mining.rhythm import visits_of
from patron.intelligence.mining.transactions import Purchases, prepare

AS_OF = dt.date(2024, 12, 30)
SIZES = (10_000, 100_000, 1_000_000)

# Seeded by hashes of the row itself: the same file on every machine, made by as many threads as there are.
GENERATE = """
copy (
    with customers as (
        select range as customer,
            10 + hash(range * 7919 + 1) % 81 as gap,
            (540 * least(1.0, 0.05 - 0.8 * ln((1 + hash(range * 104729 + 3) % 1000000) / 1000001.0)))::int as life,
            (hash(range * 15485863 + 5) % 400)::int as first
        from range({customers})
    ),
    visits as (
        select customer, visit, hash(customer * 61 + visit) as seed,
            first + visit * gap + (hash(customer * 61 + visit) % gap)::int as day
        from customers, range(54) t(visit)
        where first + visit * gap < 540 and visit * gap <= life
    )
    select
        'C' || lpad(customer::varchar, 8, '0') as customer,
        date '{last}' - (539 - least(day, 539))::int as day,
        'K' || (hash(seed + line * 31) % 300)::varchar as category,
        (5 + hash(seed + line) % 10000 / 100.0)::decimal(12, 2) as amount,
        (hash(seed + line * 7) % 5)::decimal(12, 2) as discount
    from visits, range({lines}) u(line)
) to '{path}'
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--lines-per-purchase", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="10⁴, 10⁵ and 10⁶ customers")
    parser.add_argument("--keep", type=Path, help="a folder for the generated file, used again when it is there")
    options = parser.parse_args()
    if options.table:
        for customers in SIZES:
            again = [sys.executable, "-m", "benchmarks.churn", "--customers", str(customers)]
            lines = ["--lines-per-purchase", str(options.lines_per_purchase)]
            subprocess.run([*again, *lines], check=True)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"churn-{options.customers}-{options.lines_per_purchase}.parquet"
        if not path.exists():
            generate(path, customers=options.customers, lines=options.lines_per_purchase)
        measure(path, ChurnParameters(horizon_days=90))


def generate(path: Path, *, customers: int, lines: int) -> None:
    with duckdb.connect() as connection:
        connection.execute(GENERATE.format(customers=customers, lines=lines, path=path, last=AS_OF))


def measure(path: Path, parameters: ChurnParameters) -> None:
    with duckdb.connect() as connection:
        [(count, customers)] = connection.sql(f"select count(*), count(distinct customer) from '{path}'").fetchall()
    print(f"{customers:,} customers, {count:,} lines")
    seconds: dict[str, float] = {}
    with timed(seconds, "days of purchase"):
        purchases = prepare(lines_of(path))
    with timed(seconds, "figures, fit, back-test, scores and reasons"):
        found = study(purchases, AS_OF, parameters)
    whole = sum(seconds.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    with timed(seconds, "bare fit of histogram boosting"):
        rows = bare_fit(purchases, parameters)
    for name, each in seconds.items():
        print(f"{name:45} {each:7.2f} s")
    print(f"{'all of ours':45} {whole:7.2f} s {count / whole:14,.0f} lines/s")
    print(f"{'ratio to the bare fit':45} {whole / seconds['bare fit of histogram boosting']:7.2f}   ({rows:,} rows)")
    print(f"{'peak memory of this process':45} {peak:7.2f} GB")
    if found.trial is not None:
        worth, rule = found.trial.quality, found.trial.baselines[found.trial.baseline]
        print(f"AUC on the test day {worth.area.value:.3f} ({found.trial.champion}, {worth.customers:,} customers)")
        print(f"of the rule {found.trial.baseline} {rule.value:.3f}")


def bare_fit(purchases: Purchases, parameters: ChurnParameters) -> int:
    """scikit-learn as it comes, on every training row; the rows themselves are not counted in its time."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    plan = schedule(visits_of(purchases.days), day_number(AS_OF), parameters)
    behaviour = Behaviour(purchases, plan, parameters)
    training = [behaviour.at(cutoff) for cutoff in plan.training]
    everything = ChurnParameters(horizon_days=parameters.horizon_days, max_training_rows=1_000_000_000)
    matrix, left = training_rows(training, training[0].names, everything)
    begun = time.perf_counter()
    HistGradientBoostingClassifier(random_state=1).fit(matrix, left)
    print(f"(of the bare fit's time the fit alone takes {time.perf_counter() - begun:.2f} s)")
    return len(left)


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - begun


def lines_of(path: Path) -> ibis.Table:
    lines = ibis.duckdb.connect().read_parquet(path)
    return lines.select(customer="customer", date="day", amount="amount", category="category", discount="discount")


if __name__ == "__main__":
    main()
