"""The worked numbers of the pages on baskets and sequences are what the code gives."""

import datetime as dt

import pyarrow as pa

from patron.intelligence.mining.patterns.events import Sequences
from patron.intelligence.mining.patterns.following import following, median_gap
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.tests.test_documented_numbers import assert_as_documented, table

AS_OF = dt.date(2025, 6, 30)


def rules(**parameters):
    rows = [
        (each["basket"], item) for each in table("baskets.md", "baskets input") for item in each["items"].split(", ")
    ]
    source = pa.table({"basket": [basket for basket, _ in rows], "item": [item for _, item in rows]})
    model = model_named("baskets")
    result = model.run(Rows.of(source), as_of=AS_OF, parameters=model.parameters(min_support="2", **parameters))
    found = [row | {"antecedent": ", ".join(row["antecedent"])} for row in result.table.to_pylist()]
    return result.report.metrics, found


def test_rules_of_baskets():
    metrics, found = rules(min_confidence=0.5)
    assert metrics["itemsets"] == 13
    assert_as_documented(found, table("baskets.md", "baskets result"))


def test_pruned_rules_of_baskets():
    _, found = rules(min_confidence=0.5, prune=True)
    assert_as_documented(found, table("baskets.md", "baskets pruned"))


def test_patterns_of_sequences():
    rows = [
        (each["sequence"], position, item)
        for each in table("sequences.md", "sequences input")
        for position, items in enumerate(each["events"].split())
        for item in items
    ]
    names = ("sequence", "position", "item")
    source = pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})
    model = model_named("sequences")
    result = model.run(Rows.of(source), as_of=AS_OF, parameters=model.parameters(min_support="2"))
    assert result.report.metrics["patterns"] == 53
    documented = table("sequences.md", "sequences result")
    wanted = {each["pattern"] for each in documented}
    found = [
        row | {"pattern": "".join(step[0] if len(step) == 1 else f"({''.join(step)})" for step in row["pattern"])}
        for row in result.table.to_pylist()
    ]
    assert_as_documented([row for row in found if row["pattern"] in wanted], documented)


def test_what_follows_within_days():
    visits = table("sequences.md", "following input")
    data = Sequences.of(
        pa.array([each["customer"] for each in visits]),
        pa.array([int(each["day"]) for each in visits]),
        pa.array([each["items"] for each in visits]),
    )
    found = following(data, within=14, until=60, min_sequences=1)
    names = data.names.to_pylist()
    rows = [
        {
            "first": names[found.first[row]],
            "then": names[found.then[row]],
            "occasions": int(found.occasions[row]),
            "followed": int(found.followed[row]),
            "expected": float(found.expected[row]),
            "usual": float(found.usual[row]),
            "confidence": float(found.confidence[row]),
            "lift": float(found.lift[row]),
            "own_lift": float(found.own_lift[row]),
            "median_gap": median_gap(data, int(found.first[row]), int(found.then[row]), within=14, until=60),
        }
        for row in range(len(found.first))
    ]
    assert_as_documented([row for row in rows if row["first"] == "tea"], table("sequences.md", "following result"))
