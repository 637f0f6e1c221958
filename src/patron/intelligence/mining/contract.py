"""What a mining model is: a card that explains it, its parameters, and one pure function from its input to results.

A model reads purchases (:class:`Purchases`, cut off at the as-of date), or a table of its own (:class:`Rows`): baskets,
sequences, features, an experiment.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

import pyarrow as pa

from patron.intelligence.mining.errors import ParameterError
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.transactions import Purchases, Role

Setting: TypeAlias = int | float | str | bool
Metric: TypeAlias = int | float | str | None
Point: TypeAlias = tuple[float, float]

_INFO: Final = "parameter"


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """How a parameter is explained and which values it takes (bounds are inclusive)."""

    doc: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


_S = TypeVar("_S", int, float, str, bool)


def parameter(
    default: _S,
    doc: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> _S:
    """Declare a field of a :class:`Parameters` class together with its documentation and its bounds."""
    info = ParameterInfo(doc=doc, minimum=minimum, maximum=maximum, choices=choices)
    declared: _S = field(default=default, metadata={_INFO: info})
    return declared


@dataclass(frozen=True)
class Parameters:
    """Base of every model's parameters: a frozen dataclass whose fields are made by :func:`parameter`.

    Raises :class:`ParameterError` on creation when a value is out of its bounds.
    """

    def __post_init__(self) -> None:
        for name, info in parameter_infos(type(self)).items():
            _check(name, getattr(self, name), info)

    def as_dict(self) -> dict[str, Setting]:
        """The values by name, as the report and the run record keep them."""
        return dataclasses.asdict(self)


def parameter_infos(parameters: type[Parameters]) -> dict[str, ParameterInfo]:
    """Name → documentation and bounds, in the order of declaration."""
    infos = {}
    for each in dataclasses.fields(parameters):
        info = each.metadata.get(_INFO)
        if not isinstance(info, ParameterInfo):
            raise TypeError(f"{parameters.__name__}.{each.name} must be declared with parameter(...)")
        infos[each.name] = info
    return infos


def _check(name: str, value: object, info: ParameterInfo) -> None:
    if info.choices and value not in info.choices:
        raise ParameterError(f"{name} is {value!r}; choose one of {', '.join(info.choices)}.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    if math.isinf(value):
        raise ParameterError(f"{name} is {value}; give a finite number.")
    # Written so that "not a number" fails too: every comparison with it is false.
    if info.minimum is not None and not value >= info.minimum:
        raise ParameterError(f"{name} is {value}; it must be at least {info.minimum:g}.")
    if info.maximum is not None and not value <= info.maximum:
        raise ParameterError(f"{name} is {value}; it must be at most {info.maximum:g}.")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a user must know to trust and use a model.

    ``reads`` says what its function is given: ``transactions`` a :class:`Purchases`, ``table`` a :class:`Rows`. ``key``
    are the columns that name a row of the result.
    """

    name: str
    title: str
    question: str
    roles: tuple[Role, ...]
    method: str
    source: str
    limits: tuple[str, ...]
    reads: Literal["transactions", "table"] = "transactions"
    key: tuple[str, ...] = ("customer",)

    @property
    def required_roles(self) -> tuple[Role, ...]:
        """The columns without which the model cannot run."""
        return tuple(role for role in self.roles if role.required)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run says about itself.

    ``parameters`` are the settings and what was estimated, by the symbols of the cited source. ``metrics`` are single
    figures, ``series`` are curves as (x, y) points, ``rows`` counts rows by what became of them (``result``: those
    of the result), ``notes`` are remarks for the user.
    """

    model: str
    as_of: dt.date
    parameters: Mapping[str, Metric]
    metrics: Mapping[str, Metric]
    rows: Mapping[str, int]
    series: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The report as plain values that ``json`` writes."""
        return {
            "model": self.model,
            "as_of": self.as_of.isoformat(),
            "parameters": dict(self.parameters),
            "metrics": dict(self.metrics),
            "rows": dict(self.rows),
            "series": {name: [list(point) for point in points] for name, points in self.series.items()},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class ModelResult:
    """The result table (its rows named by the ``key`` of the card, in a stated order), and the report."""

    table: pa.Table
    report: Report

    def with_rows(self, rows: Mapping[str, int]) -> ModelResult:
        """The same, with what became of the input rows in the report."""
        return replace(self, report=replace(self.report, rows={**self.report.rows, **rows}))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model's function hands back; :meth:`Model.run` completes it to a :class:`ModelResult`.

    ``fitted``: estimated parameters by the symbols of the cited source.
    """

    table: pa.Table
    metrics: Mapping[str, Metric]
    series: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    fitted: Mapping[str, Metric] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True, slots=True)
class Model(Generic[P]):
    """A registered model. ``compute`` is pure: the same input, as-of date and parameters give the same outcome.

    It is given :class:`Purchases` or :class:`Rows`, as the card says. Of purchases it only ever sees those up to and
    including ``as_of``: :meth:`run` cuts the later ones off.
    """

    card: ModelCard
    parameters: type[P]
    compute: Callable[[Any, dt.date, P], Outcome]

    def run(self, data: Purchases | Rows, *, as_of: dt.date, parameters: P | None = None) -> ModelResult:
        """Results as known at the end of the day ``as_of``.

        Raises :class:`ParameterError` when the parameters ask for a column that the input does not have, and
        :class:`InputError` when the input does not suffice.
        """
        wanted = Purchases if self.card.reads == "transactions" else Rows
        if not isinstance(data, wanted):
            raise TypeError(f"the model {self.card.name} reads {wanted.__name__}, not {type(data).__name__}")
        chosen = parameters if parameters is not None else self.parameters()
        outcome = self.compute(_known(data, as_of), as_of, chosen)
        report = Report(
            model=self.card.name,
            as_of=as_of,
            parameters={**chosen.as_dict(), **outcome.fitted},
            metrics=outcome.metrics,
            rows={"result": outcome.table.num_rows},
            series=outcome.series,
            notes=outcome.notes,
        )
        return ModelResult(table=outcome.table, report=report)


def _known(data: Purchases | Rows, as_of: dt.date) -> Purchases | Rows:
    return data.until(as_of) if isinstance(data, Purchases) else data
