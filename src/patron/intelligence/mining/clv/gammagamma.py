"""Gamma-gamma: how much customers spend per purchase, judged by few purchases.

P. S. Fader, B. G. S. Hardie & K. L. Lee (2005), Journal of Marketing Research 42; formulas after P. S. Fader &
B. G. S. Hardie (2013), "The gamma-gamma model of monetary value". A customer's amounts are gamma(p, ν), ν differs
between customers as gamma(q, v). For x amounts with the mean m (equation 1a)::

    L = Γ(px+q) / (Γ(px)·Γ(q)) · v^q · m^(px-1) · x^(px) / (v + m·x)^(px+q)

and the expected mean amount of that customer is p·(v + m·x) / (p·x + q - 1) (equation 5): the own mean, drawn towards
everybody's mean p·v / (q-1), more so the fewer purchases there are. The model takes spending per purchase to be
independent of the number of purchases.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import gammaln, psi

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.clv.counting import REHEARSAL, Prepared
from patron.intelligence.mining.clv.fitting import Fit, fit

SYMBOLS: Final = ("p", "q", "v")


def fit_spend(frequency: Whole, mean: Real, *, penalizer: float = 0.0) -> Fit:
    """Maximum-likelihood estimates of (p, q, v). Customers without a repeat purchase or without money are left out.

    ``frequency``: repeat purchases; ``mean``: their mean amount. Raises :class:`ValueError` when nobody is left.
    """
    used = (frequency > 0) & (mean > 0)
    x, money = frequency[used], mean[used]
    if not len(x):
        raise ValueError("no customer has a repeat purchase with a positive amount")
    middle = float(money.mean())
    spread = float(money.var()) / middle**2
    q = 2 + 1 / max(spread, 0.05)
    starts = [np.array([2.0, q, middle * (q - 1) / 2]), np.array([10.0, 4.0, middle * 3 / 10])]
    step = max(1, len(x) // REHEARSAL)
    return fit(
        SYMBOLS,
        prepared(x, money),
        customers=float(len(x)),
        scale={"v": middle},
        starts=starts,
        rehearsal=prepared(x[::step], money[::step]) if step > 1 else None,
        rehearsal_customers=float(len(x[::step])),
        penalizer=penalizer,
    )


def prepared(frequency: Whole, mean: Real) -> Prepared:
    """The log-likelihood of these customers and its gradient, as a function of (p, q, v)."""
    order = np.argsort(frequency, kind="stable")
    x, money = frequency[order].astype(np.float64), mean[order]
    first = np.flatnonzero(np.diff(x, prepend=-1.0))
    xs, of_x = x[first], np.diff(first, append=len(x)).astype(np.float64)
    total, log_money = x * money, np.log(money)
    sum_log, sum_x_log = log_money.sum(), (x * log_money).sum()
    number, log_xs = float(len(x)), np.log(xs)

    def likelihood(values: Real) -> tuple[float, Real]:
        p, q, v = values
        whole = v + total
        logs = np.add.reduceat(np.log(whole), first)
        over = np.add.reduceat(1 / whole, first)
        exponents = p * xs + q
        height = of_x @ (gammaln(exponents) - gammaln(p * xs) + p * xs * log_xs) + p * sum_x_log - sum_log
        height += number * (q * np.log(v) - gammaln(q)) - exponents @ logs
        slope = np.array(
            [
                of_x @ (xs * (psi(exponents) - psi(p * xs) + log_xs)) + sum_x_log - xs @ logs,
                of_x @ psi(exponents) + number * (np.log(v) - psi(q)) - logs.sum(),
                number * q / v - exponents @ over,
            ]
        )
        return float(height), slope

    return likelihood


def expected_spend(values: Real, frequency: Whole, mean: Real, *, otherwise: float) -> Real:
    """Expected amount of a customer's next purchases (equation 5).

    Where nothing repeats it is the mean of all customers, p·v / (q-1); where that mean is infinite (q ≤ 1) it is
    ``otherwise``. A customer whose repeat days are all free of charge is taken to stay at the prior's pull alone.
    """
    p, q, v = values
    weight = p * frequency + q - 1
    known = weight > 1e-9
    spend: Real = np.where(known, p * (v + frequency * mean) / np.where(known, weight, 1.0), otherwise)
    return spend if q > 1 else np.where(frequency > 0, spend, otherwise)
