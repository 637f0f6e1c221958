"""Classification rules: if-then sentences that tell who is in which class."""

from __future__ import annotations

import datetime as dt
import json
from typing import Final

import pyarrow as pa

from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.ruling.learning import Rule, RulesParameters, Ruling, learn
from patron.intelligence.mining.transactions import Role

TARGET: Final = Role("target", "the class to be told: a text, or a number that is cut into ranges", required=True)
FEATURES: Final = Role("features", "what the class may depend on: numbers or texts", required=True, many=True)
CUSTOMER: Final = Role("customer", "who the row tells of; not learned from")
HOLDOUT: Final = Role(
    "holdout", "yes for rows that only test, such as those of a later date; without it a random part is kept back"
)


def compute(rows: Rows, as_of: dt.date, parameters: RulesParameters) -> Outcome:  # noqa: ARG001 (a table has no dates)
    """One row per rule, the surest first; every row of the input is covered by exactly one."""
    names = rows.columns_of("features")
    if not names:
        raise InputError("Rules need at least one feature: --features visits,spend,district.")
    marked = ("holdout",) if rows.has("holdout") else ()
    table = rows.arrow("target", *marked, *names)
    # In one order whatever the order of the input: which rows are kept back is drawn by place.
    table = table.sort_by([(name, "ascending") for name in (*names, "target", *marked)])
    found = learn(table, names, parameters)
    return Outcome(table=rules_table(found), metrics=_metrics(found), notes=found.notes)


def rules_table(found: Ruling) -> pa.Table:
    """The rules as a table: see ``docs/algorithms/rules.md`` for its columns."""
    rows = [
        {
            "rule": rule.number,
            "conditions": [condition.words() for condition in rule.conditions],
            "prediction": rule.prediction,
            "support": rule.support,
            "coverage": rule.coverage,
            "tested": rule.tested,
            "accuracy": rule.accuracy.share,
            "accuracy_low": rule.accuracy.low,
            "accuracy_high": rule.accuracy.high,
            "lift": rule.accuracy.lift,
            "interest": found.interest or None,
            "interest_share": rule.interest and rule.interest.share,
            "interest_low": rule.interest and rule.interest.low,
            "interest_high": rule.interest and rule.interest.high,
            "interest_lift": rule.interest and rule.interest.lift,
            "learned_share": rule.learned,
            "facts": json.dumps([condition.facts() for condition in rule.conditions], ensure_ascii=False),
            "reason_code": "rule" if rule.conditions else "everybody",
            "reason": sentence(rule, found),
        }
        for rule in found.rules
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def sentence(rule: Rule, found: Ruling) -> str:
    """The rule as a manager reads it."""
    who = f"If {rule.words()}" if rule.conditions else "For everybody"
    told, name = (rule.interest, found.interest) if rule.interest else (rule.accuracy, rule.prediction)
    if told.share is None:
        return f"{who}: {name} in {rule.learned:.0%} of those learned from; none to test ({rule.support:,} rows)."
    lift = f", {told.lift:.1f} times the average" if told.lift is not None else ""
    return f"{who}: {name} in {told.share:.0%} of {rule.tested:,} tested{lift} ({rule.support:,} rows)."


_SCHEMA: Final = pa.schema(
    [
        ("rule", pa.int32()),
        ("conditions", pa.list_(pa.string())),
        ("prediction", pa.string()),
        ("support", pa.int64()),
        ("coverage", pa.float64()),
        ("tested", pa.int64()),
        ("accuracy", pa.float64()),
        ("accuracy_low", pa.float64()),
        ("accuracy_high", pa.float64()),
        ("lift", pa.float64()),
        ("interest", pa.string()),
        ("interest_share", pa.float64()),
        ("interest_low", pa.float64()),
        ("interest_high", pa.float64()),
        ("interest_lift", pa.float64()),
        ("learned_share", pa.float64()),
        ("facts", pa.string()),
        ("reason_code", pa.string()),
        ("reason", pa.string()),
    ]
)


def _metrics(found: Ruling) -> dict[str, Metric]:
    return {
        "cases": len(found.cases.rows),
        "classes": len(found.cases.classes),
        "rules": len(found.rules),
        "tested": found.tested,
        "accuracy": found.accuracy,
        "majority_accuracy": found.majority_accuracy,
        "log_loss": found.log_loss,
        "base_log_loss": found.base_log_loss,
        "interest": found.interest or None,
        "auc": found.area.value if found.area else None,
        "auc_low": found.area.low if found.area else None,
        "auc_high": found.area.high if found.area else None,
        "pruning": found.grown.pruning,
    }


MODEL: Final = Model(
    card=ModelCard(
        name="rules",
        title="Classification rules",
        question="Which few if-then sentences tell who is in which class?",
        roles=(TARGET, FEATURES, CUSTOMER, HOLDOUT),
        method=(
            "Grows a decision tree on features cut at round numbers, prunes it by cross-validation to the smallest "
            "tree as good as the best within a standard error, and tells every leaf as one sentence. accuracy and "
            "interest_share are measured on rows kept back, with Wilson's 95 % interval."
        ),
        source=(
            "L. Breiman, J. Friedman, R. Olshen & C. Stone, Classification and Regression Trees (1984), chapters 2 and "
            "3; E. B. Wilson, JASA 22 (1927)."
        ),
        limits=(
            "A rule says what goes together, not what causes what.",
            "The target must lie after the features in time; the model cannot see that it does.",
            "Where two features tell the same, the tree names one of them.",
            "Probabilities are coarse: one per rule. Use the churn model where the order of customers matters.",
        ),
        reads="table",
        key=("rule",),
    ),
    parameters=RulesParameters,
    compute=compute,
)
