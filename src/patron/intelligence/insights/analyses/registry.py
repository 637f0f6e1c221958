"""Finds every analysis by walking this package: a new analysis is one new file. No Django."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType

from patron.intelligence.insights import analyses as package
from patron.intelligence.insights.analyses.contract import Analysis
from patron.intelligence.mining.contract import Parameters
from patron.intelligence.mining.registry import models

_FRAME = {"contract", "registry"}

HOURLY_MODELS = ("value", "lifecycle")
"""Models that every refresh runs; the others run with the analyses."""


@cache
def analyses() -> Mapping[str, Analysis]:
    """Every analysis by its name, in an order in which each comes after those it needs.

    Raises TypeError when a file breaks the contract: no ANALYSIS, a name or mart twice, an unknown need, a ring.
    """
    found: dict[str, Analysis] = {}
    marts: dict[str, str] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name in _FRAME or info.name.startswith("_"):
            continue
        analysis = getattr(importlib.import_module(f"{package.__name__}.{info.name}"), "ANALYSIS", None)
        if not isinstance(analysis, Analysis):
            raise TypeError(f"{package.__name__}.{info.name} must end in ANALYSIS = Analysis(...)")
        if analysis.name in found:
            raise TypeError(f"two analyses are called {analysis.name!r}")
        for mart in analysis.marts:
            if other := marts.get(mart.name):
                raise TypeError(f"{analysis.name} and {other} both make the mart {mart.name!r}")
            marts[mart.name] = analysis.name
        found[analysis.name] = analysis
    return MappingProxyType({name: found[name] for name in _ordered(found)})


def house_parameters(model: str) -> type[Parameters] | None:
    """The parameters with which the house runs a model: its own, else the model's; None for a model it does not run."""
    if model in analyses():
        own = analyses()[model].parameters
        return own if own is not None else (models()[model].parameters if model in models() else None)
    return models()[model].parameters if model in HOURLY_MODELS else None


def with_needs(names: Iterable[str], among: Mapping[str, Analysis]) -> list[str]:
    """`names` and all that they need, in the order of `among`. Raises KeyError for a name that there is not."""
    wanted: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting.extend(among[name].needs)
    return [name for name in among if name in wanted]


def _ordered(found: Mapping[str, Analysis]) -> list[str]:
    for analysis in found.values():
        for need in analysis.needs:
            if need not in found:
                raise TypeError(f"the analysis {analysis.name!r} needs {need!r}, which there is not")
    sorter = TopologicalSorter({name: sorted(found[name].needs) for name in sorted(found)})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise TypeError(f"analyses need one another in a ring: {' → '.join(error.args[1])}") from None
