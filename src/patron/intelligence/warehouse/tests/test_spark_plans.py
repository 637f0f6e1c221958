"""DuckDB's SQL in Spark's words, and what it mentions more than once told apart. Needs no Java."""

from patron.intelligence.warehouse.engines.spark import planned


def test_a_query_without_repetition_stays_one() -> None:
    plan = planned("WITH days AS (SELECT branch_id FROM sold) SELECT count(*)::BIGINT AS n FROM days")
    assert plan.shared == {}
    assert plan.query == "WITH days AS (SELECT branch_id FROM sold) SELECT CAST(COUNT(*) AS BIGINT) AS n FROM days"


def test_what_is_mentioned_twice_is_worked_out_once() -> None:
    plan = planned(
        "WITH days AS (SELECT branch_id, week FROM sold), weeks AS (SELECT week FROM days) "
        "SELECT weeks.week FROM weeks JOIN weeks y ON y.week = weeks.week - 364"
    )
    assert plan.shared == {
        "weeks": "WITH days AS (SELECT branch_id, week FROM sold) SELECT * FROM (SELECT week FROM days) AS weeks"
    }
    assert plan.query.endswith("SELECT weeks.week FROM {weeks} AS weeks JOIN {weeks} AS y ON y.week = weeks.week - 364")


def test_a_shared_part_may_read_another() -> None:
    plan = planned(
        "WITH prior AS (SELECT * FROM history), begun AS (SELECT * FROM prior UNION ALL SELECT * FROM prior) "
        "SELECT * FROM begun UNION ALL SELECT * FROM begun"
    )
    assert list(plan.shared) == ["prior", "begun"]
    assert plan.shared["begun"] == (
        "SELECT * FROM (SELECT * FROM {prior} AS prior UNION ALL SELECT * FROM {prior} AS prior) AS begun"
    )


def test_braces_in_texts_are_texts() -> None:
    assert planned("SELECT '{}' AS facts").query.format() == "SELECT '{}' AS facts"
