"""What runs say of themselves: every proof and its baseline have words, and figures read as people write them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.utils import translation

from patron.intelligence.insights import analyses
from patron.touchpoints.workspace.metric_words import FIGURES, figure_name, setting_name, written
from patron.touchpoints.workspace.run_sentences import (
    SAID_BY_PAGES,
    SENTENCES,
    Told,
    page_notes,
    proof_name,
    reasons,
    told,
)

LANGUAGES = ("en", "zh-hant", "zh-hans")


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts an expression can give, with a 7 in the place of each figure."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=pieces):
            yield "".join(str(piece.value) if isinstance(piece, ast.Constant) else "7" for piece in pieces)
        case ast.IfExp(body=first, orelse=second):
            yield from _texts(first)
            yield from _texts(second)


def _proofs() -> Iterator[tuple[str, ast.Call]]:
    for file in sorted(Path(analyses.__file__ or "").parent.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Proof":
                yield file.stem, node


def _argument(call: ast.Call, name: str) -> ast.expr:
    by_name = {word.arg: word.value for word in call.keywords}
    return by_name[name] if name in by_name else call.args[0]


@pytest.mark.parametrize(
    ("analysis", "metric"),
    [(stem, text) for stem, call in _proofs() for text in _texts(_argument(call, "metric"))],
)
def test_every_proof_of_an_analysis_has_words(analysis: str, metric: str) -> None:
    assert proof_name(metric).language == "", f"{analysis}: put “{metric}” into PROOFS"


@pytest.mark.parametrize(
    ("analysis", "why"), [(stem, text) for stem, call in _proofs() for text in _texts(_argument(call, "why"))]
)
def test_every_baseline_of_an_analysis_has_words(analysis: str, why: str) -> None:
    assert told(why) == Told(why), f"{analysis}: put “{why}” into SENTENCES"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_is_told_with_its_figures(sentence: str, language: str) -> None:
    figures = sentence.count("%(")
    seven = sentence
    for name in {piece.partition(")s")[0] for piece in sentence.split("%(")[1:]}:
        seven = seven.replace(f"%({name})s", "77")
    with translation.override(language):
        said = told(seven)
    assert said.language == ""
    assert said.text.count("77") == figures
    assert (said.text == seven) == (language == "en")


def test_a_sentence_nobody_foresaw_stays_english_and_is_marked() -> None:
    with translation.override("zh-hant"):
        assert told("The moon was full on 2026-03-01.") == Told("The moon was full on 2026-03-01.", "en")


def test_a_page_does_not_repeat_what_it_says_anyway() -> None:
    assert set(SENTENCES) > SAID_BY_PAGES
    twice = "What an action brings is assumed until campaigns with control groups have measured it."
    once = "The history is too short for a back-test."
    assert page_notes([twice, once, "Something else."]) == [Told(once), Told("Something else.", "en")]


def test_days_and_names_within_a_sentence_are_written_for_people() -> None:
    assert told("The window is 2026-02-02 to 2026-03-01, the last 28 whole days of the data.").text == (
        "The window is 2 Feb 2026 to 1 Mar 2026, the last 28 whole days of the data."
    )
    assert (
        told("It waits for results of: clv, next_date.").text == "It waits for results of: Lifetime value, Next visit."
    )


def run(**changed: object) -> SimpleNamespace:
    facts: dict[str, object] = {
        "metric": "AUC", "value": 0.8539, "baseline": 0.7649, "higher_is_better": True,
        "why": "AUC 0.8539 is at least as good as the baseline's 0.7649. The baseline is chance.",
    }  # fmt: skip
    return SimpleNamespace(**(facts | changed))


def test_why_a_run_is_in_use_or_kept_back() -> None:
    assert [each.text for each in reasons(run())] == [
        "Pairs of customers in the right order (AUC): 0.854, with the baseline 0.765. It did at least as well.",
        "The baseline is chance.",
    ]
    worse = run(value=0.7, why="AUC 0.7 is worse than the baseline's 0.7649. The baseline is chance.")
    assert reasons(worse)[0].text.endswith("0.700, with the baseline 0.765. It did worse.")
    refused = run(
        metric="", value=None, baseline=None, why="A budget needs customers who have bought: there are none yet."
    )
    assert reasons(refused) == [Told("A budget needs customers who have bought: there are none yet.")]
    failed = run(metric="", value=None, baseline=None, why="ValueError: no such thing")
    assert reasons(failed) == [Told("ValueError: no such thing", "en")]
    assert reasons(run(metric="", value=None, baseline=None, why="")) == []


@pytest.mark.parametrize(
    ("model", "name", "words"),
    [
        ("churn", "auc_low", "Pairs in the right order (AUC), at least"),
        ("churn", "auc_boosting", "Pairs in the right order (AUC): Boosted trees"),
        ("clv", "se_alpha", "Standard error of alpha"),
        ("forecast", "branch_error_share", "Branches: error, share of sales"),
        ("watch", "basket_low", "Smaller baskets"),
        ("clusters", "moved", "Changed group in 13 weeks"),
        ("events", "moved", "Perhaps moved house"),
        ("newcomers", "back_by_28", "Back within 28 days"),
        ("churn", "of_tomorrow", None),
        ("churn", "auc_of_tomorrow", None),
    ],
)
def test_figures_have_names(model: str, name: str, words: str | None) -> None:
    assert figure_name(model, name) == words


def test_settings_have_the_names_of_the_settings_page() -> None:
    assert setting_name("forecast", "weeks") == "How many weeks ahead"
    assert setting_name("budget", "uplift_lost_call") == "Assumed rise: Lost: Calls"
    assert setting_name("clusters", "centre_2_visits") == "Centre of group 2: come often"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("customers", 2467, "2,467"),
        ("auc", 0.8539, "85.4\xa0%"),
        ("spent", 10000.0, "HK$10,000"),
        ("cost_message", 0.5, "HK$0.50"),
        ("tested_on", "2026-09-23", "23 Sep 2026"),
        ("champion", "logistic", "Logistic regression"),
        ("back_test", True, "yes"),
        ("log_loss", 0.18844, "0.188"),
        ("log_likelihood", -19988.28, "−19,988"),
        ("interest", "", "–"),
    ],
)
def test_values_read_as_people_write_them(name: str, value: object, text: str) -> None:
    assert written(name, value, currency="HKD") == text


def test_no_two_figures_of_a_name_are_confused() -> None:
    assert all(name.count(".") <= 1 for name in FIGURES)
