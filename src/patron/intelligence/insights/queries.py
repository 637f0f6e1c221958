"""How fresh the figures are, and with which parameters they were made."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from patron.core.customers.models import InsightRun
from patron.intelligence.insights.models import AnalysisRun, ModelParameters
from patron.intelligence.warehouse.reader import ANALYSES
from patron.intelligence.warehouse.store import Store


@dataclass(frozen=True, slots=True)
class Freshness:
    """The state of the figures that pages show.

    `as_of`: they are as known at the end of this day. `taken_at`: when the data was read. `checked_at`: when it was
    last found that nothing newer had been recorded (never before `taken_at`).
    """

    version: int
    as_of: date
    taken_at: datetime
    checked_at: datetime

    def age_seconds(self, now: datetime) -> float:
        """How long ago the figures were last known to be complete."""
        return max(0.0, (now - self.checked_at).total_seconds())


def warehouse_directory() -> Path:
    """Where this installation's warehouse is."""
    return Path(settings.WAREHOUSE_DIRECTORY)


def get_freshness() -> Freshness | None:
    """How fresh the published figures are; None before the first refresh. Two small files are read."""
    store = Store(warehouse_directory())
    manifest = store.current_or_none()
    if manifest is None or "as_of" not in manifest.facts:
        return None
    taken_at = datetime.fromisoformat(manifest.taken_at)
    checked = store.checked_at()
    return Freshness(
        version=manifest.version,
        as_of=date.fromisoformat(str(manifest.facts["as_of"])),
        taken_at=taken_at,
        checked_at=max(taken_at, datetime.fromisoformat(checked)) if checked else taken_at,
    )


def changed_parameters() -> dict[str, dict[str, Any]]:
    """Per model the parameters that differ from its defaults, as last set."""
    latest = ModelParameters.objects.order_by("model", "-id").distinct("model")
    return {row.model: dict(row.parameters) for row in latest}


@dataclass(frozen=True, slots=True)
class ParameterSetting:
    """A parameter of a model as a page shows it; bounds are inclusive, `choices` empty where any value will do."""

    name: str
    doc: str
    value: Any
    default: Any
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]

    @property
    def is_changed(self) -> bool:
        return bool(self.value != self.default)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """A model, how it judges, and who changed that last."""

    name: str
    title: str
    question: str
    method: str
    source: str
    limits: tuple[str, ...]
    parameters: tuple[ParameterSetting, ...]
    hourly: bool
    last_change: ModelParameters | None


def get_model_settings() -> list[ModelSettings]:
    """Every model that judges the house's own data, with its parameters as they are now: the hourly ones first.

    Models that only work on files are not among them, nor is the seed of chance.
    """
    # The models take a moment to load, and only the page about them needs them.
    from patron.intelligence.insights.analyses.registry import HOURLY_MODELS, house_parameters
    from patron.intelligence.mining.contract import parameter_infos
    from patron.intelligence.mining.registry import models

    latest = {row.model: row for row in ModelParameters.objects.order_by("model", "-id").distinct("model")}
    found = []
    known = models()
    for name in (*HOURLY_MODELS, *(each for each in known if each not in HOURLY_MODELS)):
        kind = house_parameters(name)
        if kind is None:
            continue
        model = known[name]
        defaults = kind().as_dict()
        changed = latest[name].parameters if name in latest else {}
        settings_of_model = tuple(
            ParameterSetting(
                each,
                info.doc,
                changed.get(each, defaults[each]),
                defaults[each],
                info.minimum,
                info.maximum,
                info.choices,
            )
            for each, info in parameter_infos(kind).items()
            if each != "seed"
        )
        card = model.card
        found.append(
            ModelSettings(
                name=name,
                title=card.title,
                question=card.question,
                method=card.method,
                source=card.source,
                limits=card.limits,
                parameters=settings_of_model,
                hourly=name in HOURLY_MODELS,
                last_change=latest.get(name),
            )
        )
    return found


def get_parameter_history(model: str) -> list[ModelParameters]:
    """What was set for `model`, the latest first."""
    return list(ModelParameters.objects.filter(model=model).order_by("-id"))


def has_results() -> bool:
    """Whether any analysis has ever been published."""
    return Store(warehouse_directory() / ANALYSES).current_version() is not None


RunRecord = AnalysisRun
"""A run as the register of models shows it."""

PROMOTED, KEPT_BACK, REFUSED, FAILED = (
    AnalysisRun.PROMOTED, AnalysisRun.KEPT_BACK, AnalysisRun.REFUSED, AnalysisRun.FAILED,
)  # fmt: skip


def latest_analysis_runs() -> dict[str, AnalysisRun]:
    """Per analysis its last run, whatever became of it."""
    return {run.model: run for run in AnalysisRun.objects.order_by("model", "-id").distinct("model")}


def get_analysis_runs(model: str, *, limit: int = 60) -> list[AnalysisRun]:
    """The runs of an analysis, the latest first."""
    return list(AnalysisRun.objects.filter(model=model).order_by("-id")[:limit])


def latest_runs() -> dict[str, InsightRun]:
    """Per model the run whose results are published."""
    return {run.model: run for run in InsightRun.objects.order_by("model", "-id").distinct("model")}
