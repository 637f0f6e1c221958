"""Response model: who would use a voucher that was tried on some, and whether the test was large enough to tell."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.reports.acquisition import (
    Candidate,
    VoucherTest,
    every_response,
    response_rows,
    voucher_tests,
)
from patron.kernel.charts import Column
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses._acquisition_words import sign_words
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    Badge,
    Part,
    Row,
    TablePart,
    Tile,
    Who,
)
from patron.touchpoints.workspace.analyses.desk import Desk


def build(desk: Desk) -> Answer:
    """The chosen test, the list where one could be learned, all tests with what they lack."""
    tests = voucher_tests(desk.warehouse)
    if not tests:
        return Answer(_("No voucher has been given to members yet: try one on a small sample first."))
    chosen = desk.choice("voucher", {test.definition: test.definition for test in tests}, label=_("Voucher"))
    test = next(each for each in tests if each.definition == chosen)
    parts: list[Part] = []
    if test.learned:
        parts.append(_list(desk, test))
    parts.append(_tests(tests))
    return Answer(_sentence(test), _tiles(test), parts, _explanation())


def _sentence(test: VoucherTest) -> str:
    facts = {
        "voucher": test.definition,
        "responded": formats.count(test.responded),
        "tested": formats.count(test.tested),
        "needed": formats.count(test.responders_needed),
    }
    if not test.learned:
        return (
            _(
                "%(responded)s of %(tested)s members used “%(voucher)s”: too few to learn who would. A list one can "
                "rely on needs about %(needed)s users, and at least 10 for a first look."
            )
            % facts
        )
    if test.auc_low is not None and test.auc_low <= 0.5:
        return (
            _(
                "%(responded)s of %(tested)s members used “%(voucher)s”, but nothing known of them tells who does: "
                "give it at random, or to everybody."
            )
            % facts
        )
    facts["lift"] = formats.decimal(test.top_tenth_lift)
    return (
        _(
            "%(responded)s of %(tested)s members used “%(voucher)s”; the best tenth of a list ordered by likeness to "
            "them responds %(lift)s times as often as all."
        )
        % facts
    )


def _tiles(test: VoucherTest) -> list[Tile]:
    tiles = [
        Tile(_("Were given one"), formats.count(test.tested)),
        Tile(
            _("Used it"),
            formats.count(test.responded),
            formats.percent(test.responded / test.tested) if test.tested else "",
        ),
        Tile(_("Users needed"), formats.count(test.responders_needed), _("ten for each feature, at least 50")),
    ]
    if test.auc is not None:
        tiles.append(
            Tile(
                _("Told apart"),
                formats.percent(test.auc, 0),
                _("between %(low)s and %(high)s; chance is 50 %%")
                % {"low": formats.percent(test.auc_low, 0), "high": formats.percent(test.auc_high, 0)},
            )
        )
    return tiles


def _list(desk: Desk, test: VoucherTest) -> TablePart:
    rows, more = desk.more(partial(response_rows, desk.warehouse, desk.scope, test.definition))

    def every() -> Iterator[Row]:
        for block in every_response(desk.warehouse, desk.scope, test.definition):
            yield from (_row(each) for each in block)

    return TablePart(
        "customers",
        _("Who would probably use it"),
        (
            Column(_("Customer")),
            Column(_("Chance"), "percent"),
            Column(_("Times the average"), "decimal"),
            Column(_("Why")),
        ),
        [_row(each) for each in rows],
        more=more,
        every=every,
        empty=_("Nobody: everybody here was given one."),
    )


def _row(each: Candidate) -> Row:
    return (Who(each.customer_id), each.confidence, each.times_average, sign_words(each.reason))


def _tests(tests: list[VoucherTest]) -> TablePart:
    return TablePart(
        "tests",
        _("What was tried"),
        (
            Column(_("Voucher")),
            Column(_("Were given one"), "count"),
            Column(_("Used it"), "count"),
            Column(_("Users needed"), "count"),
            Column(_("Members to give it to"), "count"),
            Column(_("Told apart"), "percent"),
            Column(_("Verdict")),
        ),
        [
            (
                each.definition,
                each.tested,
                each.responded,
                each.responders_needed,
                each.test_size_needed,
                each.auc,
                _verdict(each),
            )
            for each in tests
        ],
    )


def _verdict(test: VoucherTest) -> Badge:
    if not test.learned:
        return Badge(_("too few"), "warn")
    if test.auc_low is not None and test.auc_low <= 0.5:
        return Badge(_("no better than chance"), "bad")
    if test.responded < test.responders_needed:
        return Badge(_("small, but tells"), "info")
    return Badge(_("usable"), "good")


def _explanation() -> list[str]:
    return [
        _(
            "Members who were given the voucher are the test: those who used it are compared with those who did not, "
            "by what was known of them when the first one was issued. A penalty keeps small tests from promising too "
            "much, and the quality is measured on members who were held back."
        ),
        _(
            "Using a voucher is not being won over: those who would have come anyway use it too. Whether it pays is "
            "for an experiment with a control group to say."
        ),
    ]


PAGE: Final = AnalysisPage(
    name="response",
    title=gettext_lazy("Response model"),
    question=gettext_lazy("Who would respond to an offer that was tried on a few?"),
    group="win",
    icon="mail-fast",
    order=20,
    build=build,
)
