"""Rules that managers can read: who becomes a VIP, who is lost, who buys at reduced prices; learned by date."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses.churn import purchases_with_baskets
from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.arrays import EPOCH, Flags, Real, day_number
from patron.intelligence.mining.churning.schedule import ChurnParameters, Schedule, schedule
from patron.intelligence.mining.contract import Metric
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.rhythm import visits_of
from patron.intelligence.mining.ruling.learning import RulesParameters, Ruling, learn
from patron.kernel.exports import ExportColumn

if TYPE_CHECKING:
    from patron.intelligence.mining.churning.features import Behaviour, Snapshot
    from patron.intelligence.mining.transactions import Purchases

#: What customers did before a cut-off, by the names of the churn figures, as rules may speak of it.
FIGURES: Final = (
    "visits_recent", "visits_before", "spend_recent", "spend_before", "basket", "kinds_recent", "silence_days",
    "typical_gap_days", "tenure_days", "weekend_share", "discount_share",
)  # fmt: skip
#: Who takes this share of full prices off counts as buying at reduced prices.
REDUCED: Final = 0.25
YES, NO = "yes", "no"

LIST = Mart(
    name="rules_list",
    meaning="If-then rules for each question, the surest first; every customer is covered by exactly one per question.",
    columns=(
        ExportColumn("question", "string", "vip, lost or reduced."),
        ExportColumn("rule", "int32", "Number of the rule, 1 is the surest."),
        ExportColumn("words", "string", "What must hold, English."),
        ExportColumn("facts", "string", "The same as JSON: feature, low, high, among, not_among."),
        ExportColumn("support", "int64", "Cases it covers, of all dates."),
        ExportColumn("coverage", "float64", "Their share of all cases."),
        ExportColumn("tested", "int64", "Cases of the test day it covers."),
        ExportColumn("share", "float64", "In how many of those the answer was yes; empty where none was tested."),
        ExportColumn("low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("high", "float64", "Upper end of its 95 % interval."),
        ExportColumn("lift", "float64", "That share by the share of all on the test day."),
        ExportColumn("learned_share", "float64", "The same share among the cases learned from."),
        ExportColumn("customers_today", "int64", "Customers it covers today."),
    ),
    order="question, rule",
)
TREE = Mart(
    name="rules_tree",
    meaning="The tree behind the rules of each question, node by node.",
    columns=(
        ExportColumn("question", "string", "vip, lost or reduced."),
        ExportColumn("node", "int32", "Number of the node, 0 is the root."),
        ExportColumn("parent", "int32", "The node above; empty for the root."),
        ExportColumn("facts", "string", "The step that leads here, as JSON; empty for the root."),
        ExportColumn("support", "int64", "Cases in it."),
        ExportColumn("coverage", "float64", "Their share of all cases."),
        ExportColumn("share", "float64", "In how many of them the answer was yes."),
        ExportColumn("rule", "int32", "The rule that ends here; empty for a node in between."),
    ),
    order="question, node",
)
QUESTIONS = Mart(
    name="rules_questions",
    meaning="What was asked, how it was learned and what the rules were worth on the test day.",
    columns=(
        ExportColumn("question", "string", "vip, lost or reduced."),
        ExportColumn("horizon_days", "int32", "Days within which the answer came."),
        ExportColumn("learned_from", "date", "First day learned from."),
        ExportColumn("tested_on", "date", "The day that tested."),
        ExportColumn("cases", "int64", "Cases learned from."),
        ExportColumn("tested", "int64", "Cases of the test day."),
        ExportColumn("yes", "int64", "How many of those were a yes."),
        ExportColumn("accuracy", "float64", "How often the rules were right on the test day."),
        ExportColumn("majority_accuracy", "float64", "How often the more frequent answer alone was."),
        ExportColumn("log_loss", "float64", "Mean -ln of the share given to what came."),
        ExportColumn("base_log_loss", "float64", "The same for the share of all."),
        ExportColumn("auc", "float64", "Share of pairs (a yes and a no) in the right order."),
        ExportColumn("auc_low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("auc_high", "float64", "Upper end of its 95 % interval."),
    ),
    order="question",
)
TODAY = Mart(
    name="rules_customers",
    meaning="Today's customers and the rule of each question that covers them.",
    columns=(
        ExportColumn("question", "string", "vip, lost or reduced."),
        ExportColumn("rule", "int32", "Number of the rule."),
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("spend_recent", "decimal(18,2)", "Spent in the last horizon."),
    ),
    order="question, rule, spend_recent DESC, customer_id",
)


@dataclass(frozen=True, slots=True)
class Question:
    """A yes-or-no question about what comes within ``horizon`` days (0: that of churn) after a cut-off.

    ``asked``: whom it is asked of at a cut-off; ``answer``: for whom it became true.
    """

    name: str
    horizon: int
    asked: Callable[[_House, Snapshot], Flags]
    answer: Callable[[_House, Snapshot], Flags]


class _House:
    """What the questions are answered from, for one horizon; each figure is worked out once."""

    def __init__(self, purchases: Purchases, behaviour: Behaviour, plan: Schedule, traits: pa.Table) -> None:
        self.purchases, self.behaviour, self.plan = purchases, behaviour, plan
        self.traits = traits
        self._vips: dict[int, Flags] = {}

    def vips(self, snapshot: Snapshot, *, at: int) -> Flags:
        """Who of the snapshot is a VIP by the end of the day ``at``."""
        if at not in self._vips:
            from patron.intelligence.mining.models.value import MODEL

            ranked = MODEL.run(self.purchases, as_of=_date(at)).table
            vips = ranked["customer"].filter(ranked["vip"])
            member = pc.is_in(self.purchases.days.customers, value_set=vips.combine_chunks())
            self._vips[at] = member.to_numpy(zero_copy_only=False)
        vip: Flags = self._vips[at][snapshot.who]
        return vip

    def next_discounts(self, snapshot: Snapshot) -> Real:
        """The share of full prices taken off in the horizon after the snapshot; 0 for who bought nothing."""
        from patron.intelligence.mining.churning.baskets import recent_and_before

        shares = self.behaviour.baskets.discount_share
        if shares is None:
            return np.zeros(len(snapshot.who))
        return recent_and_before(shares, self.plan, snapshot.cutoff + self.plan.horizon)[0][snapshot.who]

    def features(self, snapshot: Snapshot, rows: Flags) -> pa.Table:
        """The features of the asked customers; their age is that of the cut-off."""
        columns: dict[str, object] = {name: snapshot.column(name)[rows] for name in FIGURES if name in snapshot.names}
        customers = self.purchases.days.named(snapshot.who).filter(pa.array(rows))
        known = self.traits.take(pc.index_in(customers, self.traits["customer"].combine_chunks()))
        age = pc.subtract(_date(snapshot.cutoff).year, known["birth_year"])
        columns |= {"age": age, "sex": known["sex"], "district": known["district"]}
        return pa.table({"customer": customers, **columns})


QUESTION_LIST: Final = (
    Question(
        "vip",
        90,
        asked=lambda house, at: ~house.vips(at, at=at.cutoff),
        answer=lambda house, at: house.vips(at, at=at.cutoff + house.plan.horizon),
    ),
    Question("lost", 0, asked=lambda _, at: np.ones(len(at.who), dtype=np.bool_), answer=lambda _, at: at.labels()),
    Question(
        "reduced",
        60,
        asked=lambda _, at: np.ones(len(at.who), dtype=np.bool_),
        answer=lambda house, at: house.next_discounts(at) >= REDUCED,
    ),
)


@dataclass(frozen=True, slots=True)
class _Answered:
    """A question with its rules, and the customers whom they cover today."""

    question: Question
    plan: Schedule
    found: Ruling
    tested_yes: int
    today: pa.Table


def find(context: Context) -> Findings:
    """Learn on earlier days, test on a later one, and say whom the rules cover today.

    Raises InputError where history is too short for every question.
    """
    parameters = context.parameters(RulesParameters)
    purchases = purchases_with_baskets(context)
    traits = context.warehouse.arrow(
        "SELECT customer_id AS customer, home_branch_id AS branch_id, birth_year, nullif(sex, '') AS sex, "
        "nullif(district, '') AS district FROM customers"
    )
    answered: list[_Answered] = []
    notes: list[str] = []
    for question in QUESTION_LIST:
        try:
            answered.append(_answered(question, purchases, traits, context, parameters))
        except InputError as error:
            notes.append(f"{question.name}: {error}")
    if not answered:
        raise InputError(" ".join(notes))
    return Findings(
        tables={
            LIST.name: pa.concat_tables([_list(each) for each in answered]),
            TREE.name: pa.concat_tables([_tree(each) for each in answered]),
            QUESTIONS.name: pa.concat_tables([_question(each) for each in answered]),
            TODAY.name: pa.concat_tables([each.today for each in answered]),
        },
        parameters=parameters.as_dict(),
        metrics={"questions": len(answered), **_metrics(answered)},
        proof=_proof(answered),
        notes=tuple(notes),
    )


def _answered(
    question: Question, purchases: Purchases, traits: pa.Table, context: Context, parameters: RulesParameters
) -> _Answered:
    from patron.intelligence.mining.churning.features import Behaviour

    # Being lost means here what it means on the page of churn.
    churn = context.parameters(ChurnParameters, of="churn")
    settings = dataclasses.replace(churn, horizon_days=question.horizon) if question.horizon else churn
    plan = schedule(visits_of(purchases.days), day_number(context.until), settings)
    if not plan.sufficient:
        raise InputError(f"{plan.needed} days of history are needed to learn and to test; there are {plan.days}.")
    house = _House(purchases, Behaviour(purchases, plan, settings), plan, traits)
    parts = []
    for cutoff in plan.known():
        snapshot = house.behaviour.at(cutoff)
        rows = question.asked(house, snapshot)
        answers = pa.array(np.where(question.answer(house, snapshot)[rows], YES, NO), pa.string())
        kept = pa.repeat(pa.scalar(YES if cutoff == plan.test else NO), len(answers))
        parts.append(house.features(snapshot, rows).append_column("target", answers).append_column("holdout", kept))
    cases = pa.concat_tables(parts)
    names = [name for name in cases.column_names if name not in ("customer", "target", "holdout")]
    found = learn(cases, names, dataclasses.replace(parameters, interest=YES))
    tested = pc.and_(pc.equal(cases["holdout"], YES), pc.equal(cases["target"], YES))
    return _Answered(question, plan, found, int(pc.sum(tested).as_py() or 0), _today(question, house, found))


def _today(question: Question, house: _House, found: Ruling) -> pa.Table:
    snapshot = house.behaviour.at(house.plan.as_of)
    features = house.features(snapshot, question.asked(house, snapshot))
    places = pc.index_in(features["customer"], house.traits["customer"].combine_chunks())
    return pa.table(
        {
            "question": pa.repeat(pa.scalar(question.name), features.num_rows),
            "rule": pa.array(found.numbers(features), pa.int32()),
            "customer_id": features["customer"],
            "branch_id": house.traits["branch_id"].take(places),
            "spend_recent": pc.round(features["spend_recent"], 2),
        }
    )


def _list(each: _Answered) -> pa.Table:
    covered = np.bincount(each.today["rule"].to_numpy(), minlength=len(each.found.rules) + 1)
    rows = [
        {
            "question": each.question.name,
            "rule": rule.number,
            "words": rule.words(),
            "facts": json.dumps([condition.facts() for condition in rule.conditions], ensure_ascii=False),
            "support": rule.support,
            "coverage": rule.coverage,
            "tested": rule.tested,
            "share": rule.interest and rule.interest.share,
            "low": rule.interest and rule.interest.low,
            "high": rule.interest and rule.interest.high,
            "lift": rule.interest and rule.interest.lift,
            "learned_share": rule.learned,
            "customers_today": int(covered[rule.number]),
        }
        for rule in each.found.rules
    ]
    return _rows(LIST, rows)


def _tree(each: _Answered) -> pa.Table:
    rows = [
        {
            "question": each.question.name,
            "node": step.node,
            "parent": step.parent,
            "facts": json.dumps(step.condition.facts(), ensure_ascii=False) if step.condition else None,
            "support": step.support,
            "coverage": step.coverage,
            "share": step.share,
            "rule": step.rule,
        }
        for step in each.found.steps
    ]
    return _rows(TREE, rows)


def _question(each: _Answered) -> pa.Table:
    found, plan = each.found, each.plan
    return _rows(
        QUESTIONS,
        [
            {
                "question": each.question.name,
                "horizon_days": plan.horizon,
                "learned_from": _date(min(plan.training)),
                "tested_on": _date(plan.test),
                "cases": len(found.cases.rows) - found.tested,
                "tested": found.tested,
                "yes": each.tested_yes,
                "accuracy": found.accuracy,
                "majority_accuracy": found.majority_accuracy,
                "log_loss": found.log_loss,
                "base_log_loss": found.base_log_loss,
                "auc": found.area.value if found.area else None,
                "auc_low": found.area.low if found.area else None,
                "auc_high": found.area.high if found.area else None,
            }
        ],
    )


def _metrics(answered: Sequence[_Answered]) -> dict[str, Metric]:
    metrics: dict[str, Metric] = {}
    for each in answered:
        name = each.question.name
        metrics |= {
            f"{name}_rules": len(each.found.rules),
            f"{name}_auc": each.found.area.value if each.found.area else None,
            f"{name}_log_loss": each.found.log_loss,
            f"{name}_base_log_loss": each.found.base_log_loss,
        }
    return metrics


def _proof(answered: Sequence[_Answered]) -> Proof:
    return Proof(
        metric="Log loss on the test day, mean of the questions",
        value=sum(each.found.log_loss for each in answered) / len(answered),
        baseline=sum(each.found.base_log_loss for each in answered) / len(answered),
        higher_is_better=False,
        why="The baseline gives everybody the share of all.",
    )


def _rows(mart: Mart, rows: Sequence[Mapping[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), pa.schema([(column.name, _TYPES[column.type]) for column in mart.columns]))


_TYPES: Final = {
    "string": pa.string(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "date": pa.date32(),
}


def _date(day: int) -> dt.date:
    return EPOCH + dt.timedelta(day)


ANALYSIS: Final = Analysis(
    name="rules",
    title="Classification rules",
    marts=(LIST, TREE, QUESTIONS, TODAY),
    find=find,
)
