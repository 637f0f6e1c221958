"""Finds every model by walking ``models/``: a new model is one new file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any

from patron.intelligence.mining import models as models_package
from patron.intelligence.mining.contract import Model, parameter_infos
from patron.intelligence.mining.errors import MiningError


@cache
def models() -> Mapping[str, Model[Any]]:
    """Every model by its name, sorted. Raises ``TypeError`` when a file of ``models/`` breaks the contract."""
    found: dict[str, Model[Any]] = {}
    for module_info in pkgutil.iter_modules(models_package.__path__):
        if module_info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{models_package.__name__}.{module_info.name}")
        model = _model_of(module)
        if model.card.name in found:
            raise TypeError(f"two models are called {model.card.name!r}")
        found[model.card.name] = model
    return MappingProxyType(dict(sorted(found.items())))


def model_named(name: str) -> Model[Any]:
    """The model of that name. Raises :class:`MiningError` that lists the names there are."""
    try:
        return models()[name]
    except KeyError:
        raise MiningError(f"There is no model {name!r}. There are: {', '.join(models())}.") from None


def _model_of(module: ModuleType) -> Model[Any]:
    model = getattr(module, "MODEL", None)
    if not isinstance(model, Model):
        raise TypeError(f"{module.__name__} must end in MODEL = Model(...)")
    card = model.card
    for label, text in (("title", card.title), ("question", card.question), ("method", card.method)):
        if not text.strip():
            raise TypeError(f"the card of {card.name!r} has no {label}")
    parameter_infos(model.parameters)
    return model
