"""Who is treated and who is the control: by lot, and the lot can be drawn again at any time.

The lot of a customer is a hash of the experiment's key and the customer's, so it depends on nothing else: not on the
order of the list, not on the machine, not on the day. Two experiments with different keys draw independently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.errors import InputError, ParameterError

#: A covariate whose groups differ by more than this many standard deviations deserves a look (P. C. Austin,
#: Statistics in Medicine 28 (2009) 3083-3107).
NOTABLE_DIFFERENCE: Final = 0.1
#: Below this p-value the group sizes are not those that were asked for (R. Fabijan et al., KDD 2019, use 0.0005).
MISMATCH: Final = 0.0005


@dataclass(frozen=True, slots=True)
class CovariateBalance:
    """Mean of a covariate by group, and the largest difference of two groups in standard deviations."""

    name: str
    means: Mapping[str, float]
    standardised_difference: float

    @property
    def notable(self) -> bool:
        """Whether the difference deserves a look."""
        return self.standardised_difference > NOTABLE_DIFFERENCE


@dataclass(frozen=True, slots=True)
class Balance:
    """Whether the groups are as the lot should have made them: sizes (with the p-value of a mismatch), covariates."""

    sizes: Mapping[str, int]
    size_p_value: float
    covariates: tuple[CovariateBalance, ...] = ()

    @property
    def mismatched(self) -> bool:
        """Whether customers got lost, or came in, on the way of one group: then no result can be trusted."""
        return self.size_p_value < MISMATCH


def lots(customers: pa.Array, *, experiment: str) -> Real:
    """A number in [0, 1) for each customer: the first 52 bits of the MD5 of ``experiment:customer``.

    Whoever joins while an experiment runs gets a group from it: the first whose summed shares exceed the lot.
    """
    import duckdb

    keys = pa.table({"place": np.arange(len(customers)), "customer": customers.cast(pa.string())})
    with duckdb.connect() as connection:
        connection.register("keys", keys)
        drawn = connection.execute(
            "SELECT ('0x' || substr(md5(? || ':' || customer), 1, 13))::BIGINT AS lot FROM keys ORDER BY place",
            [experiment],
        ).fetchnumpy()["lot"]
    numbers: Real = drawn.astype(np.float64) / 2.0**52
    return numbers


def assign(
    customers: pa.Array,
    *,
    experiment: str,
    shares: Mapping[str, float],
    strata: pa.Array | None = None,
) -> pa.Table:
    """A group for each customer: columns ``customer`` and ``group``, in the order given.

    ``shares``: group → its share, adding up to 1. ``strata``: a label for each customer (stage, tier, branch…); inside
    every stratum each group gets its share of customers, rounded up or down by lot, so that small strata do not favour
    a group. Every customer's chance of a group is exactly its share. The same set of customers, key, shares and strata
    give the same groups in whatever order.

    Raises :class:`InputError` for customers who are missing or listed twice, :class:`ParameterError` for shares that
    are not above 0 or do not add up to 1, or for an experiment without a key.
    """
    names, limits = _limits(shares)
    if not experiment.strip():
        raise ParameterError("Give the experiment a key: the lots are drawn from it.")
    if customers.null_count or pc.count_distinct(customers).as_py() != len(customers):
        raise InputError("Every customer must be there once: leave out missing ones, and list nobody twice.")
    if strata is not None and len(strata) != len(customers):
        raise InputError(f"There are {len(customers)} customers and {len(strata)} strata; give one for each.")
    lot = lots(customers, experiment=experiment)
    labels = pa.repeat("", len(customers)) if strata is None else strata.cast(pa.string()).fill_null("")
    encoded = (
        labels.combine_chunks().dictionary_encode()
        if isinstance(labels, pa.ChunkedArray)
        else labels.dictionary_encode()
    )
    stratum = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    shift = lots(encoded.dictionary, experiment=f"{experiment}/stratum") if len(customers) else np.zeros(0)
    place = (_ranks(stratum, lot) + shift[stratum]) / np.maximum(np.bincount(stratum), 1)[stratum]
    group = np.searchsorted(limits, place, side="right")
    return pa.table({"customer": customers, "group": pa.array(np.array(names, dtype=object)[group], pa.string())})


def _limits(shares: Mapping[str, float]) -> tuple[list[str], Real]:
    if len(shares) < 2:
        raise ParameterError("An experiment needs at least two groups: those treated, and a control group.")
    if min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-9:
        given = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise ParameterError(f"The shares of the groups must be above 0 and add up to 1; they are {given}.")
    return list(shares), np.cumsum(list(shares.values()))[:-1]


def _ranks(stratum: Whole, lot: Real) -> Whole:
    """The place of each within its stratum, by lot, from 0."""
    order = np.lexsort((lot, stratum))
    ordered = stratum[order]
    first = np.searchsorted(ordered, ordered, side="left")
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - first
    return ranks


def balance(
    groups: Sequence[str] | npt.NDArray[np.object_],
    *,
    shares: Mapping[str, float],
    covariates: Mapping[str, Real] | None = None,
) -> Balance:
    """Compare the groups that came out (``groups``: that of each customer) with the ``shares`` that were asked for.

    Sizes by a chi-square test (sample ratio mismatch); covariates (numbers known before; not a number where missing)
    by standardised differences. Raises :class:`InputError` for a group that is not among ``shares``.
    """
    from scipy.special import chdtrc

    names, _ = _limits(shares)
    codes = _codes(groups, names)
    sizes = np.bincount(codes, minlength=len(names))
    expected = np.array(list(shares.values())) * len(codes)
    statistic = float(((sizes - expected) ** 2 / np.where(expected > 0, expected, 1.0)).sum())
    return Balance(
        sizes=dict(zip(names, (int(size) for size in sizes), strict=True)),
        size_p_value=float(chdtrc(len(names) - 1, statistic)),
        covariates=tuple(_covariate(name, values, codes, names) for name, values in (covariates or {}).items()),
    )


def _codes(groups: Sequence[str] | npt.NDArray[np.object_], names: list[str]) -> Whole:
    unknown = sorted({str(each) for each in groups} - set(names))
    if unknown:
        raise InputError(f"There are groups that nobody asked for: {', '.join(unknown)}; known: {', '.join(names)}.")
    return np.array([names.index(str(each)) for each in groups], dtype=np.int64)


def _covariate(name: str, values: Real, codes: Whole, names: list[str]) -> CovariateBalance:
    parts = [values[(codes == place) & np.isfinite(values)] for place in range(len(names))]
    known = [part for part in parts if len(part) > 1]
    means = [float(part.mean()) for part in known]
    pooled = float(np.sqrt(np.mean([part.var(ddof=1) for part in known]))) if known else 0.0
    apart = max(means) - min(means) if means else 0.0
    standardised = apart / pooled if pooled > 0 else (float("inf") if apart > 0 else 0.0)
    shown = {label: float(part.mean()) if len(part) else float("nan") for label, part in zip(names, parts, strict=True)}
    return CovariateBalance(name, shown, standardised)
