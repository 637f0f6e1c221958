"""Finds every page by walking this package: a new page is one new file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from patron.touchpoints.workspace import analyses as package
from patron.touchpoints.workspace.analyses.contract import AnalysisPage

_FRAME = {"contract", "desk", "registry", "showing"}


@cache
def pages() -> Mapping[str, AnalysisPage]:
    """Every page by its name, by group and order. Raises TypeError when a file breaks the contract."""
    found: dict[str, AnalysisPage] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name in _FRAME or info.name.startswith("_"):
            continue
        page = getattr(importlib.import_module(f"{package.__name__}.{info.name}"), "PAGE", None)
        if not isinstance(page, AnalysisPage):
            raise TypeError(f"{package.__name__}.{info.name} must end in PAGE = AnalysisPage(...)")
        if page.name in found:
            raise TypeError(f"two pages are called {page.name!r}")
        found[page.name] = page
    return MappingProxyType(dict(sorted(found.items(), key=lambda each: (each[1].order, each[0]))))
