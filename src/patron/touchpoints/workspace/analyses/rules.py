"""Rules in if-then sentences: who becomes a VIP, who is lost, who buys at reduced prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patron.intelligence.reports.rules import (
    Asked,
    Must,
    RuleRow,
    TreeNode,
    all_covered_today,
    covered_today,
    questions,
    rule_rows,
    tree_nodes,
)
from patron.kernel.charts import Branch, Chart, Column, tree
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    ChartPart,
    Link,
    Part,
    TablePart,
    Tile,
    Who,
)
from patron.touchpoints.workspace.analyses.desk import Desk

Style = Literal["count", "decimal", "money", "percent"]

QUESTIONS: Final[Mapping[str, Promise]] = {
    "vip": gettext_lazy("Who becomes a VIP?"),
    "lost": gettext_lazy("Who is lost?"),
    "reduced": gettext_lazy("Who buys at reduced prices?"),
}
#: What each figure is called in the middle of a sentence, and the style of its limits.
FEATURES: Final[Mapping[str, tuple[Promise, Style]]] = {
    "visits_recent": (gettext_lazy("visits in the last %(days)s days"), "count"),
    "visits_before": (gettext_lazy("visits in the %(days)s days before"), "count"),
    "spend_recent": (gettext_lazy("money spent in the last %(days)s days"), "money"),
    "spend_before": (gettext_lazy("money spent in the %(days)s days before"), "money"),
    "basket": (gettext_lazy("money per visit"), "money"),
    "kinds_recent": (gettext_lazy("kinds of goods in the last %(days)s days"), "count"),
    "silence_days": (gettext_lazy("days since the last visit"), "count"),
    "typical_gap_days": (gettext_lazy("usual days between visits"), "decimal"),
    "tenure_days": (gettext_lazy("days since the first visit looked back to"), "count"),
    "weekend_share": (gettext_lazy("share of visits at weekends"), "percent"),
    "discount_share": (gettext_lazy("share of the price taken off"), "percent"),
    "age": (gettext_lazy("age"), "count"),
    "sex": (gettext_lazy("sex"), "count"),
    "district": (gettext_lazy("district"), "count"),
}
TEXTS: Final[Mapping[str, Promise]] = {
    "unknown": gettext_lazy("unknown"),
    "other": gettext_lazy("another one"),
    "female": gettext_lazy("female"),
    "male": gettext_lazy("male"),
}


def build(desk: Desk) -> Answer:
    """The surest rule in a sentence, the tree, all rules, and the customers whom the chosen rule covers today."""
    asked = {each.question: each for each in questions(desk.warehouse) if each.question in QUESTIONS}
    if not asked:
        return Answer(_("There are no rules yet: they need purchases from enough days to learn and to test."))
    options = {name: QUESTIONS[name] for name in QUESTIONS if name in asked}
    chosen = asked[desk.choice("question", options, label=_("Question"))]
    rules = rule_rows(desk.warehouse, desk.scope, chosen.question)
    numbers = {str(rule.rule): _("Rule %(number)s") % {"number": rule.rule} for rule in rules}
    number = int(desk.choice("rule", numbers, label=_("Customers of")))
    first = next(rule for rule in rules if rule.rule == number)
    return Answer(
        sentence=_sentence(desk, chosen, rules[0]),
        tiles=_tiles(chosen, rules),
        parts=[
            _picture(desk, chosen),
            _rules(desk, chosen, rules),
            _customers(desk, chosen, first),
        ],
        explanation=_explanation(chosen),
    )


def condition_words(must: Must, *, days: int, currency: str) -> str:
    """What must hold, in the reader's language: "3 ≤ visits in the last 60 days < 12"."""
    name = _feature(must.feature, days)
    if must.among or must.not_among:
        return _("%(feature)s: %(value)s") % {"feature": name, "value": limit_words(must, currency=currency)}
    if must.low is not None and must.high is not None:
        style = FEATURES[must.feature][1]
        return f"{_limit(must.low, style, currency)} ≤ {name} < {_limit(must.high, style, currency)}"
    return f"{name} {limit_words(must, currency=currency)}"


def limit_words(must: Must, *, currency: str) -> str:
    """The same without the name of the feature: "≥ 3", "not Kowloon"."""
    if must.among:
        return _text(must.among[0])
    if must.not_among:
        return _("not %(value)s") % {"value": _(" or ").join(_text(text) for text in must.not_among)}
    style = FEATURES[must.feature][1]
    limits = ((sign, value) for sign, value in (("≥", must.low), ("<", must.high)) if value is not None)
    return " ".join(f"{sign} {_limit(value, style, currency)}" for sign, value in limits)


def _feature(name: str, days: int) -> str:
    return str(FEATURES[name][0]) % {"days": days}


def _text(value: str) -> str:
    return str(TEXTS.get(value, value))


def _limit(value: float, style: Style, currency: str) -> str:
    whole = float(value).is_integer()
    if style == "money":
        return formats.money(value, currency, places=0 if whole else 2)
    if style == "percent":
        return formats.percent(value, 0)
    return formats.count(value) if whole else formats.decimal(value, 1)


def _words(desk: Desk, asked: Asked, rule: RuleRow) -> str:
    told = [condition_words(each, days=asked.horizon_days, currency=desk.currency) for each in rule.conditions]
    return _(" and ").join(told) or _("everybody")


def _sentence(desk: Desk, asked: Asked, rule: RuleRow) -> str:
    if not rule.conditions:
        return _("%(question)s No sign tells them from the others beyond chance: of all customers it was %(base)s.") % {
            "question": QUESTIONS[asked.question],
            "base": formats.percent(asked.base),
        }
    templates = {
        "vip": _(
            "The surest sign of a future VIP: %(rule)s. Of such customers %(share)s became a VIP within %(days)s days "
            "(of all %(base)s); %(today)s are like that today: invite them first."
        ),
        "lost": _(
            "The surest sign that a customer is being lost: %(rule)s. Of such customers %(share)s did not come back "
            "within %(days)s days (of all %(base)s); %(today)s are like that today: call them first."
        ),
        "reduced": _(
            "The surest sign of who buys at reduced prices: %(rule)s. Of such customers %(share)s had a quarter or "
            "more taken off in the next %(days)s days (of all %(base)s); %(today)s are like that today: send offers."
        ),
    }
    return templates[asked.question] % {
        "rule": _words(desk, asked, rule),
        "share": formats.percent(rule.share if rule.share is not None else rule.learned_share, 0),
        "days": asked.horizon_days,
        "base": formats.percent(asked.base),
        "today": formats.count(rule.customers_today),
    }


def _tiles(asked: Asked, rules: list[RuleRow]) -> list[Tile]:
    best = rules[0]
    tiles = [
        Tile(
            _("Surest rule, tested"),
            formats.percent(best.share, 0),
            _("in 95 of 100 cases %(low)s to %(high)s, of %(tested)s customers of the test day")
            % {
                "low": formats.percent(best.low, 0),
                "high": formats.percent(best.high, 0),
                "tested": formats.count(best.tested),
            },
        ),
        Tile(
            _("Times the average"),
            formats.decimal(best.lift),
            _("of all %(share)s") % {"share": formats.percent(asked.base)},
        ),
    ]
    if asked.auc is not None:
        tiles.append(
            Tile(
                _("Pairs in the right order"),
                formats.percent(asked.auc),
                _("by chance half; tested on %(tested)s customers") % {"tested": formats.count(asked.tested)},
            )
        )
    return [
        *tiles,
        Tile(
            _("Rules"),
            formats.count(len(rules)),
            _("learned from %(cases)s cases since %(day)s")
            % {"cases": formats.count(asked.cases), "day": formats.day(asked.learned_from)},
        ),
    ]


def _picture(desk: Desk, asked: Asked) -> Part:
    nodes = tree_nodes(desk.warehouse, asked.question)
    return ChartPart(_("The tree behind the rules"), _chart(desk, asked, nodes), wide=True)


def _chart(desk: Desk, asked: Asked, nodes: list[TreeNode]) -> Chart:
    below: dict[int | None, list[TreeNode]] = {}
    for node in nodes:
        below.setdefault(node.parent, []).append(node)

    def branch(node: TreeNode) -> Branch:
        children = below.get(node.node, [])
        share = formats.percent(node.share, 0)
        told = _("yes: %(share)s of %(cases)s") % {"share": share, "cases": formats.count(node.support)}
        step = _("Everybody")
        if node.condition is not None:
            step = limit_words(node.condition, currency=desk.currency)
            words = condition_words(node.condition, days=asked.horizon_days, currency=desk.currency)
            told = f"{words} · {told}"
        # Siblings tell the limits of the feature that the node above asks for.
        asks = children[0].condition if children else None
        if asks is not None:
            feature = _feature(asks.feature, asked.horizon_days)
            label = feature if node.condition is None else f"{step} ({share}) · {feature}"
        else:
            label = _("%(step)s: %(share)s, rule %(number)s") % {"step": step, "share": share, "number": node.rule}
        return Branch(label, told, node.coverage, children=[branch(child) for child in children])

    return tree(
        branch(below[None][0]),
        headings=(_("Step"), _("What came of it")),
        reading=_(
            "Each node asks for a figure, the branches to its right give its limits and how many were a yes; every "
            "customer ends in exactly one rule."
        ),
    )


def _rules(desk: Desk, asked: Asked, rules: list[RuleRow]) -> Part:
    return TablePart(
        key="rules",
        title=_("All rules, the surest first"),
        columns=[
            Column(_("Rule")),
            Column(_("If")),
            Column(_("Yes, on the test day"), "percent"),
            Column(_("From"), "percent"),
            Column(_("To"), "percent"),
            Column(_("Times the average"), "ratio"),
            Column(_("Tested"), "count"),
            Column(_("Share of all cases"), "percent"),
            Column(_("Customers today"), "count"),
        ],
        rows=[
            (
                Link(str(rule.rule), desk.url(question=asked.question, rule=str(rule.rule))),
                _words(desk, asked, rule),
                rule.share,
                rule.low,
                rule.high,
                rule.lift,
                rule.tested,
                rule.coverage,
                rule.customers_today,
            )
            for rule in rules
        ],
        note=_("From and to: in 95 of 100 cases the share lies between them. Every customer is in exactly one rule."),
    )


def _customers(desk: Desk, asked: Asked, rule: RuleRow) -> Part:
    return TablePart(
        key="customers",
        title=ngettext(
            "Rule %(number)s covers %(count)s customer today",
            "Rule %(number)s covers %(count)s customers today",
            rule.customers_today,
        )
        % {"number": rule.rule, "count": formats.count(rule.customers_today)},
        columns=[
            Column(_("Customer")),
            Column(_("Spent in the last %(days)s days") % {"days": asked.horizon_days}, "money"),
        ],
        rows=[
            (Who(customer), spent)
            for customer, spent in covered_today(desk.warehouse, desk.scope, asked.question, rule.rule)
        ],
        every=lambda: (
            (Who(customer), spent)
            for customer, spent in all_covered_today(desk.warehouse, desk.scope, asked.question, rule.rule)
        ),
        empty=_("Nobody here fits this rule today."),
    )


def _explanation(asked: Asked) -> list[str]:
    facts = {
        "days": asked.horizon_days,
        "from": formats.day(asked.learned_from),
        "day": formats.day(asked.tested_on),
        "loss": formats.decimal(asked.log_loss, 3),
        "base": formats.decimal(asked.base_log_loss, 3),
        "accuracy": formats.percent(asked.accuracy),
        "majority": formats.percent(asked.majority_accuracy),
    }
    return [
        {
            "vip": _("Asked of customers who bought lately and were no VIP: are they a VIP %(days)s days later?"),
            "lost": _("Asked of customers who bought lately: do they buy nothing in the next %(days)s days?"),
            "reduced": _(
                "Asked of customers who bought lately: is a quarter or more of the full price taken off what they buy "
                "in the next %(days)s days?"
            ),
        }[asked.question]
        % facts,
        _(
            "A decision tree learned from days since %(from)s what customers did before the answer was known; limits "
            "are round numbers; branches that did not hold in cross-validation were cut. The shares are those of the "
            "test day, %(day)s, which it had not seen."
        )
        % facts,
        _(
            "Loss of the rules on the test day %(loss)s, of the share of all %(base)s (lower is better). Right in "
            "%(accuracy)s of cases, always saying the more frequent answer in %(majority)s: a rare answer seldom gets "
            "more than half, so look at how many times the average a rule finds."
        )
        % facts,
        _("A rule says what goes together; what causes what only an experiment tells."),
    ]


PAGE: Final = AnalysisPage(
    name="rules",
    title=gettext_lazy("Rules in plain words"),
    question=gettext_lazy("By which signs do we know future VIPs, the lost, and those who wait for reductions?"),
    group="who",
    icon="sitemap",
    order=180,
    build=build,
)
