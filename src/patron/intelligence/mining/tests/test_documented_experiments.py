"""The worked numbers of the pages on experiments, the watch and drift are what the code gives."""

import numpy as np
import pytest

from patron.intelligence.mining.experimenting import power, rates, sequential
from patron.intelligence.mining.experimenting.parameters import ExperimentParameters
from patron.intelligence.mining.models.drift import DriftParameters
from patron.intelligence.mining.tests.test_documented_numbers import PAGES, assert_as_documented, table
from patron.intelligence.mining.watching import drifting, tails
from patron.intelligence.mining.watching.parameters import WatchParameters


def one(value: str) -> np.ndarray:
    return np.array([float(value)])


def test_experiment_sizes():
    documented = table("experiment.md", "experiment sizes")
    computed = []
    for each in documented:
        design = power.Design(power=float(each["power"]), treated_share=float(each["share_treated"]))
        base, lifted = float(each["base"]), float(each["lifted"])
        if each["measure"] == "rate":
            sizes = power.rate_sizes(base, lifted, design)
        else:
            explained = float(each["explained"])
            sizes = power.mean_sizes(float(each["deviation"]), lifted - base, design, explained=explained)
        computed.append({**each, "treated": sizes.treated, "control": sizes.control})
    assert_as_documented(computed, documented)
    assert power.smallest_rate_lift(0.42, 220, 221, power.Design()) == pytest.approx(0.133, abs=5e-4)


def test_experiment_rates():
    documented = table("experiment.md", "experiment rates")
    computed = []
    for each in documented:
        counts = [one(each[name]) for name in ("treated", "of", "control", "of_control")]
        low, high = rates.difference_interval(*counts, confidence=0.95)
        lift = float(counts[0][0] / counts[1][0] - counts[2][0] / counts[3][0])
        computed.append({**each, "lift": lift, "low": float(low[0]), "high": float(high[0])})
    assert_as_documented(computed, documented)


def test_experiment_looks():
    documented = table("experiment.md", "experiment looks")
    spending = sequential.boundaries(sequential.equal_looks(5), alpha=0.05)
    classical = sequential.obrien_fleming(5, alpha=0.05)
    computed = [
        {**each, "spending": spending[place], "obrien_fleming": classical[place]}
        for place, each in enumerate(documented)
    ]
    assert_as_documented(computed, documented)


def test_watch_silence():
    documented = table("watch.md", "watch silence")
    computed = []
    for each in documented:
        count, shape = float(each["gaps"]), float(each["shape"])
        rhythm = tails.Rhythm(np.array([shape]), np.array([shape * count]), np.array([7 * count]))
        computed.append({**each, "chance": float(tails.silence_tail(rhythm, one(each["silence"]))[0])})
    assert_as_documented(computed, documented)


def test_drift_index():
    documented = table("drift.md", "drift index")
    parameters = DriftParameters()
    computed = []
    for each in documented:
        before, after = (np.array([int(count) for count in each[name].split()]) for name in ("before", "after"))
        labels = [f"category {place}" for place in range(len(before))]
        shift = drifting.categories_shift(labels, before, after, alpha=parameters.level)
        level = shift.level(watch=parameters.watch_psi, shifted=parameters.shifted_psi)
        computed.append({**each, "psi": shift.psi, "limit": shift.limit, "level": level})
    assert_as_documented(computed, documented)


@pytest.mark.parametrize(
    ("page", "name", "default"),
    [
        ("watch.md", "alarms_per_1000", WatchParameters().alarms_per_1000),
        ("watch.md", "window_days", WatchParameters().window_days),
        ("drift.md", "bins", DriftParameters().bins),
        ("drift.md", "level", DriftParameters().level),
    ],
)
def test_pages_name_the_defaults(page, name, default):
    assert f"`{name}` ({default:g})" in (PAGES / page).read_text(encoding="utf-8")


def test_the_page_speaks_of_parameters_that_there_are():
    text = (PAGES / "experiment.md").read_text(encoding="utf-8")
    assert {"margin_share", "correct_groups"} <= ExperimentParameters().as_dict().keys()
    assert "`margin_share`" in text
    assert "`correct_groups`" in text
