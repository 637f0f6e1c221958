"""DuckDB's SQL in Spark's words, and what it mentions more than once told apart. Needs no Java."""

from patron.intelligence.warehouse.engines.spark import planned, translated


def test_a_query_without_repetition_stays_one() -> None:
    plan = planned("WITH days AS (SELECT branch_id FROM sold) SELECT count(*)::BIGINT AS n FROM days")
    assert plan.shared == {}
    assert plan.query == "WITH days AS (SELECT branch_id FROM sold) SELECT CAST(COUNT(*) AS BIGINT) AS n FROM days"


def test_what_is_mentioned_twice_is_worked_out_once() -> None:
    plan = planned(
        "WITH days AS (SELECT week FROM sold), weeks AS (SELECT DISTINCT week FROM days) "
        "SELECT weeks.week FROM weeks JOIN weeks y ON y.week = weeks.week - 364"
    )
    assert plan.shared == {
        "weeks": "WITH days AS (SELECT week FROM sold) SELECT * FROM (SELECT DISTINCT week FROM days) AS weeks"
    }
    assert plan.query.endswith("SELECT weeks.week FROM {weeks} AS weeks JOIN {weeks} AS y ON y.week = weeks.week - 364")


def test_a_shared_part_may_read_another() -> None:
    plan = planned(
        "WITH prior AS (SELECT DISTINCT * FROM history), both_ways AS (SELECT p.* FROM prior p CROSS JOIN prior q) "
        "SELECT * FROM both_ways UNION ALL SELECT * FROM both_ways"
    )
    assert list(plan.shared) == ["prior", "both_ways"]
    assert plan.shared["both_ways"] == (
        "SELECT * FROM (SELECT p.* FROM {prior} AS p CROSS JOIN {prior} AS q) AS both_ways"
    )


def test_what_only_picks_rows_is_read_again() -> None:
    plan = planned(
        "WITH prior AS (SELECT a FROM history WHERE a > 1) SELECT a FROM prior UNION ALL SELECT a FROM prior"
    )
    assert plan.shared == {}


def test_braces_in_texts_are_texts() -> None:
    assert planned("SELECT '{}' AS facts").query.format() == "SELECT '{}' AS facts"


def test_a_query_to_go_on_with_is_one_text() -> None:
    assert translated(
        "WITH c AS (SELECT DISTINCT a FROM b) SELECT a::VARCHAR AS a FROM c UNION ALL SELECT a FROM c"
    ) == ("WITH c AS (SELECT DISTINCT a FROM b) SELECT CAST(a AS STRING) AS a FROM c UNION ALL SELECT a FROM c")
