"""Changing how the models judge, and keeping the record of what they did."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from patron.intelligence.insights.analyses.registry import house_parameters
from patron.intelligence.insights.jobs import refresh_insights, run_analyses_now
from patron.intelligence.insights.models import AnalysisRun, ModelParameters
from patron.intelligence.mining.contract import Setting
from patron.intelligence.mining.errors import MiningError
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput
from patron.kernel.jobs import defer_once
from patron.kernel.operation import operation


@operation(permission="insights.parameters")
def change_model_parameters(
    *, actor: Actor, now: datetime, model: str, parameters: Mapping[str, Setting]
) -> ModelParameters:
    """From now on run `model` with `parameters`; those not named keep the model's defaults.

    An empty mapping goes back to the defaults. The figures follow with the refresh that is queued here. Raises
    InvalidInput for an unknown model or parameter, and for a value out of its bounds; nothing is changed then.
    """
    checked = _checked(model, parameters)
    changed = ModelParameters.objects.create(
        model=model, parameters=checked, changed_at=now, changed_by=actor.reference, changed_by_name=actor.name
    )
    defer_once(refresh_insights)
    defer_once(run_analyses_now)
    return changed


@operation(permission="insights.refresh")
def request_refresh(*, actor: Actor, now: datetime) -> None:
    """Have the figures refreshed by the worker as soon as it is free. Asking twice makes one refresh."""
    defer_once(refresh_insights)


@operation(permission="insights.refresh")
def request_analyses(*, actor: Actor, now: datetime) -> None:
    """Have every analysis run by the worker as soon as it is free. Asking twice makes one run."""
    defer_once(run_analyses_now)


@operation(permission="insights.refresh")
def record_analysis_run(
    *,
    actor: Actor,
    now: datetime,
    model: str,
    as_of: date,
    data_version: str,
    status: str,
    why: str,
    seconds: float,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, Any],
    notes: Sequence[str],
    metric: str,
    value: float | None,
    baseline: float | None,
    higher_is_better: bool,
) -> AnalysisRun:
    """Keep on record that an analysis ran, with what, and what became of it. `now` is when the suite began."""
    return AnalysisRun.objects.create(
        model=model,
        as_of=as_of,
        started_at=now,
        seconds=seconds,
        data_version=data_version,
        status=status,
        why=why,
        parameters=dict(parameters),
        metrics=dict(metrics),
        notes=list(notes),
        metric=metric,
        value=value,
        baseline=baseline,
        higher_is_better=higher_is_better,
    )


def _checked(model: str, parameters: Mapping[str, Setting]) -> dict[str, Setting]:
    found = house_parameters(model)
    if found is None:
        raise InvalidInput(_("There is no model of this name."), details={"field": "model"})
    defaults = found().as_dict()
    if unknown := sorted(set(parameters) - set(defaults)):
        raise InvalidInput(
            _("The model has no parameter %(name)s.") % {"name": unknown[0]}, details={"field": unknown[0]}
        )
    typed = {name: _as_type_of(defaults[name], value, name) for name, value in parameters.items()}
    try:
        found(**typed)
    except MiningError as error:
        raise InvalidInput(str(error), details={"field": "parameters"}) from error
    return {name: value for name, value in typed.items() if value != defaults[name]}


def _as_type_of(default: Setting, value: Setting, name: str) -> Setting:
    """A whole number will do for a fraction; anything else must be of the default's type."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        raise InvalidInput(
            _("%(name)s must be like %(default)s.") % {"name": name, "default": default}, details={"field": name}
        )
    return value
