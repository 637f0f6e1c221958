"""Groups of customers, choice of their number included, beside one plain scikit-learn fit in the same run.

    python -m benchmarks.clusters [--customers 1000000] [--method kmeans] [--seed 7]

Prints a row for 10,000, 100,000 and 1,000,000 customers with five features (up to --customers): seconds of the whole
table (features made comparable, numbers 2 to 10 tried by silhouette and bootstrap, groups found, named, judged, a
sentence for each customer), of one `KMeans(n_clusters=k, n_init=1)` of scikit-learn on the same
standardised matrix with the same k, the ratio, and the peak memory of a process that does nothing else.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa

SIZES = (10_000, 100_000, 1_000_000)
FEATURES = ("recency_days", "visits", "basket", "discount_share", "categories")
CORES = os.cpu_count() or 1


def customers(count: int, seed: int) -> pa.Table:
    """Five kinds of customers with skewed money and visits; also what the profit table needs."""
    dice = np.random.default_rng(seed)
    kind = dice.choice(5, count, p=(0.1, 0.2, 0.3, 0.25, 0.15))
    visits = 1 + dice.poisson(np.array([90, 40, 15, 5, 1])[kind])
    basket = dice.lognormal(np.array([4.0, 3.2, 4.2, 3.0, 3.4])[kind], 0.4)
    return pa.table(
        {
            "customer": np.arange(1, count + 1),
            "recency_days": dice.exponential(np.array([5, 12, 25, 60, 200])[kind]).clip(0, 365).round(),
            "visits": visits.astype(float),
            "basket": basket,
            "discount_share": dice.beta(*np.array([(2, 18), (6, 14), (2, 18), (8, 12), (2, 30)])[kind].T),
            "categories": dice.poisson(np.array([120, 60, 50, 15, 4])[kind]).astype(float),
            "revenue": visits * basket,
            "units": dice.poisson(np.array([300, 120, 90, 25, 6])[kind]).astype(float),
            "tenure": dice.uniform(0, 90, count),
        }
    )


def measure(count: int, method: str, seed: int) -> dict[str, float]:
    """Ours in this process: seconds of the whole, and of one plain fit beside it."""
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    from patron.intelligence.mining.models.clusters import MODEL, ClusterParameters
    from patron.intelligence.mining.rows import Rows

    table = customers(count, seed)
    rows = Rows.of(table, features=FEATURES)
    rows.arrow("customer").slice(0, 1)  # loading Ibis is not what is measured
    KMeans(2, n_init=1).fit(np.random.default_rng(0).random((100, 2)))
    begun = time.perf_counter()
    result = MODEL.run(rows, as_of=dt.date(2026, 1, 1), parameters=ClusterParameters(method=method, seed=seed))
    seconds = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    k = int(result.report.metrics["k"] or 1)
    matrix = np.column_stack([table[name].to_numpy() for name in FEATURES])
    begun = time.perf_counter()
    KMeans(k, n_init=1, random_state=seed).fit(StandardScaler().fit_transform(matrix))
    plain = time.perf_counter() - begun
    silhouette = float(result.report.metrics["silhouette"] or 0)
    return {"customers": count, "k": k, "silhouette": silhouette, "seconds": seconds, "plain": plain, "memory": memory}


def main() -> None:
    """Each size in a process of its own, so that memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=SIZES[-1])
    parser.add_argument("--method", choices=("kmeans", "mixture", "ward"), default="kmeans")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.customers, chosen.method, chosen.seed)))
        return
    sizes = [size for size in SIZES if size < chosen.customers] + [chosen.customers]
    print(f"{CORES} cores, load {os.getloadavg()[0]:.1f}, method {chosen.method}, five features, k from 2 to 10")
    print(f"{'customers':>12}{'k':>4}{'silhouette':>12}{'whole s':>10}{'1 fit s':>10}{'ratio':>8}{'peak MB':>9}")
    for size in sizes:
        how = ["--one", "--customers", str(size), "--method", chosen.method, "--seed", str(chosen.seed)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.clusters", *how],
            check=True,
            capture_output=True,
            text=True,
        )
        row = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{row['customers']:>12,}{row['k']:>4}{row['silhouette']:>12.3f}{row['seconds']:>10.2f}"
            f"{row['plain']:>10.2f}{row['seconds'] / row['plain']:>8.1f}{row['memory']:>9.0f}"
        )


if __name__ == "__main__":
    main()
