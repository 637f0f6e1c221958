"""Insights as callers see them."""

from datetime import date, datetime
from typing import Any

from pydantic import Field

from patron.core.customers.models import Insight, InsightRun
from patron.touchpoints.api.schemas.parts import Number, Output


class InsightOut(Output):
    """What a model says of a customer."""

    customer: str = Field(description="The customer's number.")
    model: str = Field(description="`value` or `lifecycle`, among others.")
    label: str = Field(description="The class (A, B, C) or the stage (new, developing, mature, …).")
    score: Number | None
    rank: int | None
    reason_code: str
    reason: str
    facts: dict[str, Any] = Field(description="The numbers behind the label, for example `vip`.")
    as_of: date
    computed_at: datetime

    @classmethod
    def of(cls, insight: Insight) -> "InsightOut":
        return cls.model_construct(
            customer=insight.customer.number,
            model=insight.model,
            label=insight.label,
            score=insight.score,
            rank=insight.rank,
            reason_code=insight.reason_code,
            reason=insight.reason,
            facts=insight.facts,
            as_of=insight.run.as_of,
            computed_at=insight.run.computed_at,
        )


class ModelOut(Output):
    """A model whose results are published."""

    model: str
    as_of: date
    computed_at: datetime
    customers: int
    parameters: dict[str, Any]

    @classmethod
    def of(cls, run: InsightRun) -> "ModelOut":
        return cls.model_construct(
            model=run.model,
            as_of=run.as_of,
            computed_at=run.computed_at,
            customers=run.rows,
            parameters=run.parameters,
        )
