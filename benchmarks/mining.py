"""Speed of value and life cycle, against plain DuckDB SQL of the same aggregates on the same file.

    python benchmarks/mining.py [--customers 100000] [--lines-per-purchase 8] [--runs 3] [--keep FOLDER]

`--customers 1000000` makes about 2.5 million purchases and, with 8 lines each, 20 million lines. Prints rates and the
ratio (time of both models together ÷ time of the plain SQL); the best of the runs counts for both sides.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis

from patron.intelligence.mining.inventory import flows, stage_lines
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.stages import stages_over_time
from patron.intelligence.mining.transactions import prepare

AS_OF = dt.date(2024, 12, 30)
MONTH_ENDS = [dt.date(2024, month, 1) - dt.timedelta(1) for month in range(1, 13)] + [AS_OF]

# Seeded by hashes of the row itself: the same file on every machine, made by as many threads as there are.
GENERATE = """
copy (
    with customers as (
        select range as customer, (hash(range * 7919 + 1) % 1000000) / 1000000.0 as luck from range({customers})
    ),
    visits as (
        select customer, visit, hash(customer * 31 + visit) as seed
        from customers, range(40) t(visit)
        where visit < 1 + least(39, floor(-2 * ln(1 - luck)))
    )
    select
        'C' || lpad(customer::varchar, 8, '0') as customer,
        seed % 1000000007 as purchase,
        date '2023-01-01' + (seed % 730)::int as day,
        (5 + hash(seed + line) % 10000 / 100.0)::decimal(12, 2) as amount
    from visits, range({lines}) u(line)
    where line < 1 + hash(seed + 1) % (2 * {lines} - 1) or line = 0
) to '{path}'
"""

# What a person would write to get the figures of both models: visits, money, first and last day, scores in fifths.
PLAIN = """
with per_customer as (
    select
        customer, count(distinct day) as frequency, sum(amount) as monetary,
        min(day) as first_on, max(day) as last_on
    from '{path}' group by customer
)
select
    *, date '{as_of}' - last_on as recency_days,
    ntile(5) over (order by last_on) as r,
    ntile(5) over (order by frequency) as f,
    ntile(5) over (order by monetary) as m
from per_customer
"""

# The same with what the life cycle adds: gaps between visits, and money of three periods.
PLAIN_WITH_GAPS = """
with days as (select customer, day, sum(amount) as amount from '{path}' group by customer, day),
gaps as (select *, ln(day - lag(day) over (partition by customer order by day)) as log_gap from days),
per_customer as (
    select
        customer, count(*) as frequency, sum(amount) as monetary, min(day) as first_on, max(day) as last_on,
        exp(avg(log_gap)) as typical_gap,
        sum(amount) filter (day > date '{as_of}' - 90) as spend_recent,
        sum(amount) filter (day <= date '{as_of}' - 90 and day > date '{as_of}' - 180) as spend_before,
        sum(amount) filter (day > date '{as_of}' - 365) as money_per_year
    from gaps group by customer
)
select
    *, date '{as_of}' - last_on as recency_days,
    ntile(5) over (order by last_on) as r,
    ntile(5) over (order by frequency) as f,
    ntile(5) over (order by monetary) as m
from per_customer
"""


@dataclass
class Best:
    """The least wall-clock time of several runs, in seconds."""

    name: str
    seconds: float = float("inf")

    def measure(self, work: Callable[[], object]) -> None:
        begun = time.perf_counter()
        work()
        self.seconds = min(self.seconds, time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--lines-per-purchase", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="a folder for the generated file, used again when it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"lines-{options.customers}-{options.lines_per_purchase}.parquet"
        if not path.exists():
            generate(path, customers=options.customers, lines=options.lines_per_purchase)
        compare(path, runs=options.runs)


def generate(path: Path, *, customers: int, lines: int) -> None:
    with duckdb.connect() as connection:
        connection.execute(GENERATE.format(customers=customers, lines=lines, path=path))


def compare(path: Path, *, runs: int) -> None:
    with duckdb.connect() as connection:
        [(count, days)] = connection.sql(f"select count(*), count(distinct (customer, day)) from '{path}'").fetchall()
        print(f"{count:,} lines, {days:,} purchase days")
        plain, with_gaps = Best("plain SQL"), Best("plain SQL with gaps and periods")
        both, months = Best("value and life cycle"), Best("stages at 13 month ends, and the inventory")
        for _ in range(runs):
            plain.measure(lambda: connection.sql(PLAIN.format(path=path, as_of=AS_OF)).to_arrow_table())
            with_gaps.measure(lambda: connection.sql(PLAIN_WITH_GAPS.format(path=path, as_of=AS_OF)).to_arrow_table())
            both.measure(lambda: run_models(path))
        months.measure(lambda: run_months(path))
    for each in (plain, with_gaps, both, months):
        print(f"{each.name:45} {each.seconds:7.2f} s {count / each.seconds:14,.0f} lines/s")
    print(f"ratio to plain SQL                 {both.seconds / plain.seconds:5.2f}")
    print(f"ratio to plain SQL of all its work {both.seconds / with_gaps.seconds:5.2f}")
    print(f"peak memory of this process        {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:5.2f} GB")


def lines_of(path: Path) -> ibis.Table:
    lines = ibis.duckdb.connect().read_parquet(path)
    return lines.select(customer="customer", date="day", amount="amount")


def run_models(path: Path) -> None:
    purchases = prepare(lines_of(path))
    for name in ("value", "lifecycle"):
        model_named(name).run(purchases, as_of=AS_OF)


def run_months(path: Path) -> None:
    stage_lines(flows(stages_over_time(prepare(lines_of(path)), MONTH_ENDS)))


if __name__ == "__main__":
    main()
