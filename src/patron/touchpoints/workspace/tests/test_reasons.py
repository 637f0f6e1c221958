"""Every reason that a model may give has a sentence, in each language of the product."""

import pytest
from django.utils import translation

from patron.intelligence.mining.models.value import REASON_CODES as VALUE_CODES
from patron.intelligence.mining.stages import REASON_CODES as STAGE_CODES
from patron.touchpoints.workspace.reasons import period_words, stage_reason, value_reason

FACTS = {
    "typical_gap_days": 6.4, "days_since_last": 19, "lost_after_days": 90, "came_back_on": "2026-02-01",
    "away_days": 140, "first_on": "2026-01-15", "purchases": 2, "spend_recent": "400.00", "spend_before": "1250.40",
    "trend_days": 90, "visits_recent": 1, "visits_before": 12,
}  # fmt: skip
STANDING = {"share": 0.0041}


@pytest.mark.parametrize("language", ["en", "zh-hant", "zh-hans"])
@pytest.mark.parametrize("code", STAGE_CODES)
def test_every_stage_reason_has_a_sentence(code: str, language: str) -> None:
    with translation.override(language):
        told = stage_reason(code, FACTS, otherwise="as the model wrote it", currency="HKD")

    assert told not in ("", "as the model wrote it")
    assert "%(" not in told


@pytest.mark.parametrize("code", VALUE_CODES)
def test_every_value_reason_has_a_sentence(code: str) -> None:
    told = value_reason(code, STANDING, rank=12, customers=2469, otherwise="as the model wrote it")

    assert told not in ("", "as the model wrote it")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("overdue", "Usually comes every 6.4 days, and has not come for 19 days."),
        ("spend_falling", "Spent HK$400 in the last 90 days, after HK$1,250 in the 90 days before."),
        ("visits_falling", "Came 1 time in the last 90 days, after 12 times in the 90 days before."),
        ("first_purchase", "First bought on 15 Jan 2026; has come 2 times so far."),
        ("came_back", "Came back on 1 Feb 2026 after 140 days away."),
    ],
)
def test_stage_sentence_holds_the_facts(code: str, sentence: str) -> None:
    assert stage_reason(code, FACTS, currency="HKD") == sentence


def test_value_sentence_holds_rank_and_share() -> None:
    assert (
        value_reason("vip", STANDING, rank=12, customers=2469)
        == "Number 12 of 2,469 by sales in the last 12 months, with 0.41\N{NO-BREAK SPACE}% of all sales."
    )


def test_missing_fact_or_unknown_code_falls_back_to_the_words_of_the_model() -> None:
    assert stage_reason("overdue", {}, otherwise="as the model wrote it") == "as the model wrote it"
    assert stage_reason("of tomorrow", FACTS, otherwise="as the model wrote it") == "as the model wrote it"


def test_window_is_said_in_words() -> None:
    assert [period_words(days) for days in (365, 0, 90)] == [
        "in the last 12 months",
        "of all time",
        "in the last 90 days",
    ]
