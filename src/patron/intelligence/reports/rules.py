"""Rules in if-then sentences: for each question the rules, the tree behind them, and whom they cover today."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

PAGE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, how its rules were learned, and what they were worth on the test day."""

    question: str
    horizon_days: int
    learned_from: date
    tested_on: date
    cases: int
    tested: int
    yes: int
    accuracy: float
    majority_accuracy: float
    log_loss: float
    base_log_loss: float
    auc: float | None
    auc_low: float | None
    auc_high: float | None

    @property
    def base(self) -> float:
        """In how many cases of the test day the answer was yes."""
        return self.yes / self.tested if self.tested else 0.0


@dataclass(frozen=True, slots=True)
class Must:
    """What must hold of one feature: at least `low` and under `high`, one of `among`, none of `not_among`."""

    feature: str
    low: float | None = None
    high: float | None = None
    among: tuple[str, ...] = ()
    not_among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule; `share` of the cases of the test day it covers were a yes (None where it covers none of them)."""

    rule: int
    conditions: tuple[Must, ...]
    support: int
    coverage: float
    tested: int
    share: float | None
    low: float
    high: float
    lift: float | None
    learned_share: float
    customers_today: int


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A node of the tree; `condition` leads to it from its parent."""

    node: int
    parent: int | None
    condition: Must | None
    support: int
    coverage: float
    share: float
    rule: int | None


def questions(warehouse: Warehouse) -> list[Asked]:
    """What was asked, in order of name."""
    names = ", ".join(Asked.__dataclass_fields__)
    return [Asked(*row) for row in warehouse.rows(f"SELECT {names} FROM rules_questions ORDER BY question")]  # noqa: S608


def rule_rows(warehouse: Warehouse, scope: Scope, question: str) -> list[RuleRow]:
    """The rules of a question, the surest first; `customers_today` are those of the scope."""
    rows = warehouse.rows(
        f"""
        SELECT l.rule, l.facts, l.support, l.coverage, l.tested, l.share, l.low, l.high, l.lift, l.learned_share,
               (SELECT count(*) FROM rules_customers c
                WHERE c.question = l.question AND c.rule = l.rule AND {scope.condition("c.branch_id")})
        FROM rules_list l WHERE l.question = ? ORDER BY l.rule
        """,  # noqa: S608 (a branch's number)
        [question],
    )
    return [RuleRow(rule, tuple(_must(each) for each in json.loads(facts)), *rest) for rule, facts, *rest in rows]


def tree_nodes(warehouse: Warehouse, question: str) -> list[TreeNode]:
    """The tree of a question, its root first."""
    rows = warehouse.rows(
        "SELECT node, parent, facts, support, coverage, share, rule FROM rules_tree WHERE question = ? ORDER BY node",
        [question],
    )
    return [
        TreeNode(node, parent, _must(json.loads(facts)) if facts else None, *rest)
        for node, parent, facts, *rest in rows
    ]


def covered_today(
    warehouse: Warehouse, scope: Scope, question: str, rule: int, *, limit: int = PAGE
) -> Sequence[tuple[int, Decimal]]:
    """Customers whom a rule covers today and what they spent in the last horizon, most first."""
    rows = warehouse.rows(
        f"""
        SELECT customer_id, spend_recent FROM rules_customers
        WHERE question = ? AND rule = ? AND {scope.condition()} ORDER BY spend_recent DESC, customer_id LIMIT ?
        """,  # noqa: S608 (a branch's number)
        [question, rule, limit],
    )
    return [(customer, spent) for customer, spent in rows]


def all_covered_today(warehouse: Warehouse, scope: Scope, question: str, rule: int) -> Iterator[tuple[int, Decimal]]:
    """The same without an end, for a file."""
    yield from covered_today(warehouse, scope, question, rule, limit=10_000_000)


def _must(facts: dict[str, Any]) -> Must:
    return Must(
        feature=facts["feature"],
        low=facts.get("low"),
        high=facts.get("high"),
        among=tuple(facts.get("among", ())),
        not_among=tuple(facts.get("not_among", ())),
    )
