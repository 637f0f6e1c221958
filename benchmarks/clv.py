"""Speed of lifetime value, beside the library `lifetimes` on the same customers in the same run.

    python -m benchmarks.clv [--customers 1000000] [--runs 3] [--model bgnbd] [--no-peer]
    PATRON_PEERS=/path/to/python python -m benchmarks.clv

Customers are simulated by the BG/NBD story over up to two years; the fit of purchases is on all of them, that of
spending on those with a repeat purchase (about 770,000 of a million). Timed are both fits, P(alive) and the value of
the next 52 weeks. The peer runs as a process of its own by the interpreter of `PATRON_PEERS`, which has `lifetimes`
installed; without one it is left out and said so. Rows for 10⁴, 10⁵ and 10⁶ customers show how the cost grows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from patron.intelligence.mining.clv.simulation import simulate_bg, simulate_spend
from patron.intelligence.mining.clv.summaries import Summaries
from patron.intelligence.mining.clv.valuing import correlation, fitted

TRUTH: Final = {"r": 1.1, "alpha": 9.0, "a": 0.8, "b": 6.0, "p": 6.25, "q": 3.74, "v": 15.44}
DAYS: Final = 728
WEEKS_AHEAD: Final = 52
YEARLY: Final = 0.1
SIZES: Final = (10_000, 100_000, 1_000_000)
LIMIT: Final = 2.0

PEER: Final = """
import json, sys, time, warnings
import numpy as np
import pandas as pd
warnings.simplefilter("ignore")
from lifetimes import BetaGeoFitter, GammaGammaFitter
data = pd.DataFrame(dict(np.load(sys.argv[1])))
begun = time.perf_counter()
counts = BetaGeoFitter()
counts.fit(data.frequency, data.recency, data.age)
fitted = time.perf_counter()
alive = counts.conditional_probability_alive(data.frequency, data.recency, data.age)
again = data[data.frequency > 0]
spend = GammaGammaFitter()
spend.fit(again.frequency, again.monetary)
value = spend.customer_lifetime_value(
    counts, data.frequency, data.recency, data.age, data.monetary, time=12, discount_rate=0.00797, freq="W"
)
done = time.perf_counter()
found = {**counts.params_, **spend.params_}
print(json.dumps({"fit": fitted - begun, "all": done - begun, "value": float(value.sum()),
                  "parameters": {name: float(number) for name, number in found.items()}}))
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds for the fits and for everything, and the sum of all values."""

    fit: float
    all: float
    value: float
    parameters: dict[str, float]


def simulated(customers: int) -> Summaries:
    """As many customers, the same on every machine."""
    import pyarrow as pa

    age = np.random.default_rng(1).integers(0, DAYS, customers)
    made = simulate_bg(np.array([TRUTH[name] for name in ("r", "alpha", "a", "b")]), age, seed=2)
    spend = simulate_spend(np.array([TRUTH[name] for name in ("p", "q", "v")]), made.frequency, seed=3)
    return Summaries(
        customers=pa.array(np.arange(customers)),
        first_day=20_000 - age,
        frequency=made.frequency,
        recency=made.recency,
        age=age,
        monetary=spend,
    )


def ours(known: Summaries, model: str) -> Timing:
    """Fits, P(alive), expected purchases and discounted value of every customer."""
    from patron.intelligence.mining.clv.forecasting import prospects
    from patron.intelligence.mining.clv.gammagamma import expected_spend

    begun = time.perf_counter()
    found = fitted(known, model=model, unit_days=7.0, penalizer=0.0, average=1.0)
    done_fitting = time.perf_counter()
    ahead = prospects(
        found.counts, found.fit.values, found.cells, horizon=WEEKS_AHEAD, discount=float(np.log1p(YEARLY)) / 52.1775
    )
    if found.spend is None:
        raise SystemExit("nobody came back: simulate more customers")
    each = ahead.discounted * expected_spend(found.spend.values, known.frequency, known.monetary, otherwise=1.0)
    done = time.perf_counter()
    return Timing(
        done_fitting - begun, done - begun, float(each.sum()), {**found.fit.as_dict(), **found.spend.as_dict()}
    )


def peer_interpreter() -> str | None:
    """A Python that has `lifetimes`: that of PATRON_PEERS, else this one."""
    named = os.environ.get("PATRON_PEERS")
    if named:
        return named
    return sys.executable if importlib.util.find_spec("lifetimes") else None


def theirs(known: Summaries, interpreter: str) -> Timing:
    """The same by `lifetimes`, in a process of its own; reading the customers is not timed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "customers.npz"
        np.savez(
            file,
            frequency=known.frequency,
            recency=known.recency / 7,
            age=known.age / 7,
            monetary=known.monetary,
        )
        done = subprocess.run(
            [interpreter, "-c", PEER, str(file)], capture_output=True, text=True, check=False, timeout=1800
        )
    if done.returncode:
        raise SystemExit(f"lifetimes failed:\n{done.stderr}")
    return Timing(**json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="the best counts")
    parser.add_argument("--model", choices=("bgnbd", "mbgnbd", "paretonbd"), default="bgnbd")
    parser.add_argument("--no-peer", action="store_true", help="leave lifetimes out")
    options = parser.parse_args()
    sizes = [size for size in SIZES if size <= options.customers] or [options.customers]
    interpreter = None if options.no_peer else peer_interpreter()
    if interpreter is None:
        print("lifetimes is not installed here (set PATRON_PEERS to a Python that has it): no comparison.")
    print(f"Lifetime value by {options.model} and gamma-gamma, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'customers':>10} {'came back':>10} {'fit s':>8} {'all s':>8} {'lifetimes s':>12} {'ratio':>7}")
    for size in sizes:
        known = simulated(size)
        best = min((ours(known, options.model) for _ in range(options.runs)), key=lambda timing: timing.all)
        repeating = int(known.repeating.sum())
        row = f"{size:>10,} {repeating:>10,} {best.fit:>8.2f} {best.all:>8.2f}"
        if interpreter is not None and options.model == "bgnbd":
            peer = theirs(known, interpreter)
            print(f"{row} {peer.all:>12.2f} {peer.all / best.all:>6.1f}×", flush=True)
            _agree(best, peer)
        else:
            print(row, flush=True)
    together = correlation(known)
    print(
        f"Correlation of frequency and amount {0 if together is None else together:.3f}; limit {LIMIT:g} s for 770,000."
    )


def _agree(best: Timing, peer: Timing) -> None:
    """Say where the peer's estimates differ from ours by more than a thousandth."""
    apart = [
        f"{name} {value:.4g} (lifetimes {peer.parameters[name]:.4g})"
        for name, value in best.parameters.items()
        if abs(peer.parameters[name] / value - 1) > 1e-3
    ]
    if apart:
        print(f"           estimates differ: {', '.join(apart)}", flush=True)


if __name__ == "__main__":
    main()
