"""Publishing insights: set-based, and nothing is written that did not change."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from django.db import connection

from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in
from patron.core.customers.models import Customer, Insight, InsightRun
from patron.core.customers.operations.insights import Published, publish_insights
from patron.core.customers.testing import CHAN, LI, WANG, make_customer
from patron.kernel.actor import system
from patron.kernel.errors import PermissionRefused
from patron.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db

AS_OF = date(2026, 3, 2)


def told(*rows: tuple[int, str, str, int | None, str, str]) -> pa.Table:
    """Rows of customer, label, score, rank, reason, facts."""
    names = ("customer_id", "label", "score", "rank", "reason", "facts")
    table = pa.table(
        {name: pa.array([row[i] for row in rows]) for i, name in enumerate(names) if name != "rank"}
        | {"rank": pa.array([row[3] for row in rows], pa.int64())}
    )
    return table.append_column("reason_code", pa.repeat(pa.scalar("code"), len(rows)))


def publish(table: pa.Table, *, model: str = "value", now: datetime = NOW) -> Published:
    return publish_insights(
        actor=system("refresh"),
        now=now,
        model=model,
        as_of=AS_OF,
        table=table,
        parameters={"vip_share": 0.2},
        metrics={"customers": table.num_rows},
        data_version="1-abc",
    )


def test_published_rows_are_read_back_exactly() -> None:
    chan = make_customer(CHAN)
    reason = "貴客: 20 % \\ of\tit\nall\r"

    done = publish(told((chan.pk, "A", "1234.5000", 1, reason, '{"vip": true, "path": "a\\\\b", "tab": "\\t"}')))

    assert done == Published(added=1, changed=0, removed=0, unchanged=0)
    insight = Insight.objects.get()
    assert (insight.customer_id, insight.model, insight.label, insight.rank) == (chan.pk, "value", "A", 1)
    assert insight.score == Decimal("1234.5000")
    assert (insight.reason_code, insight.reason) == ("code", reason)
    assert insight.facts == {"vip": True, "path": "a\\b", "tab": "\t"}
    run = InsightRun.objects.get()
    assert (run.model, run.as_of, run.computed_at, run.rows) == ("value", AS_OF, NOW, 1)
    assert (run.parameters, run.metrics, run.data_version) == ({"vip_share": 0.2}, {"customers": 1}, "1-abc")
    assert insight.run == run


def test_only_what_changed_is_written() -> None:
    chan, wang, li = make_customer(CHAN), make_customer(WANG), make_customer(LI)
    publish(told((chan.pk, "A", "10.0000", 1, "r", "{}"), (wang.pk, "B", "5.0000", 2, "r", '{"x": 1, "y": 2}')))
    first = InsightRun.objects.get()
    untouched = _place_of(wang)

    done = publish(
        told(
            (chan.pk, "A", "11.0000", 1, "r", "{}"),
            (wang.pk, "B", "5", 2, "r", '{"y": 2, "x": 1}'),
            (li.pk, "C", "1.0000", None, "r", "{}"),
        ),
        now=datetime(2026, 3, 3, tzinfo=UTC),
    )

    assert done == Published(added=1, changed=1, removed=0, unchanged=1)
    assert _place_of(wang) == untouched
    runs = dict(Insight.objects.values_list("customer_id", "run_id"))
    assert runs[wang.pk] == first.pk
    assert runs[chan.pk] == runs[li.pk] != first.pk


def test_customers_no_longer_covered_are_removed_and_other_models_stay() -> None:
    chan, wang = make_customer(CHAN), make_customer(WANG)
    both = told((chan.pk, "A", "1", 1, "r", "{}"), (wang.pk, "B", "1", 2, "r", "{}"))
    publish(both)
    publish(both, model="lifecycle")

    done = publish(told((wang.pk, "A", "1", 1, "r", "{}")))

    assert done == Published(added=0, changed=1, removed=1, unchanged=0)
    left = Insight.objects.values_list("model", "customer_id").order_by("model", "customer_id")
    assert list(left) == [("lifecycle", chan.pk), ("lifecycle", wang.pk), ("value", wang.pk)]


def test_a_customer_who_is_not_on_file_is_left_out() -> None:
    chan = make_customer(CHAN)
    done = publish(told((chan.pk, "A", "1", 1, "r", "{}"), (chan.pk + 1, "A", "1", 2, "r", "{}")))
    assert done == Published(added=1, changed=0, removed=0, unchanged=0)
    assert InsightRun.objects.get().rows == 1


def test_no_rows_at_all_empty_the_model() -> None:
    full = told((make_customer(CHAN).pk, "A", "1", 1, "r", "{}"))
    publish(full)
    assert publish(full.slice(0, 0)) == Published(added=0, changed=0, removed=1, unchanged=0)
    assert not Insight.objects.exists()


def test_publishing_twice_in_one_transaction_works() -> None:
    full = told((make_customer(CHAN).pk, "A", "1", 1, "r", "{}"))
    publish(full)
    assert publish(full) == Published(added=0, changed=0, removed=0, unchanged=1)


def test_a_refused_actor_changes_nothing() -> None:
    chan = make_customer(CHAN)
    with pytest.raises(PermissionRefused):
        publish_insights(
            actor=actor_in(Role.CASHIER), now=NOW, model="value", as_of=AS_OF,
            table=told((chan.pk, "A", "1", 1, "r", "{}")), parameters={}, metrics={}, data_version="1",
        )  # fmt: skip
    assert not InsightRun.objects.exists()
    assert not Insight.objects.exists()


def test_the_audit_says_which_model_and_not_what_of_whom() -> None:
    publish(told((make_customer(CHAN).pk, "A", "1", 1, "secret reason", "{}")))
    entry = AuditEntry.objects.get(operation="core.customers.insights.publish_insights")
    assert entry.facts["model"] == "value"
    assert "secret" not in str(entry.facts)


def _place_of(customer: Customer) -> str:
    """Where the row lies in the table: it moves with every write, even one that changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text FROM customers_insight WHERE customer_id = %s", [customer.pk])
        (place,) = cursor.fetchone()
    return str(place)


def test_a_reader_of_batches_does_for_a_table() -> None:
    """What should not lie in memory at once comes batch by batch, in whatever order its columns are."""
    chan, li = make_customer(CHAN), make_customer(LI)
    table = told((chan.pk, "A", "1", 1, "first", "{}"), (li.pk, "B", "2", 2, "second", "{}"))
    batches = table.select(sorted(table.column_names)).to_batches(max_chunksize=1)
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, iter(batches))

    done = publish_insights(
        actor=system("refresh"), now=NOW, model="value", as_of=AS_OF, table=reader, parameters={}, metrics={},
        data_version="1-abc",
    )  # fmt: skip

    assert done == Published(added=2, changed=0, removed=0, unchanged=0)
    assert sorted(Insight.objects.values_list("customer_id", "label", "reason")) == sorted(
        [(chan.pk, "A", "first"), (li.pk, "B", "second")]
    )
    assert InsightRun.objects.get().rows == 2
