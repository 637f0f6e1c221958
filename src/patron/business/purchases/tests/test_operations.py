"""Sales, returns and voids, as tills send them: twice, at once, and wrong."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections

from patron.business.purchases.models import Purchase, PurchaseLine
from patron.business.purchases.operations import Receipt, record_purchase, record_return, void_purchase
from patron.business.purchases.rules import Line, ReturnedLine, TenderPart
from patron.business.purchases.testing import BREAD, MILK, make_purchase
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch
from patron.core.activities.models import Activity
from patron.core.catalog.models import Product
from patron.core.customers.testing import WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import Conflict, DomainError, InvalidInput, NotFound, PermissionRefused

RECEIPT = Receipt(source="till-1", source_key="R1", occurred_at=NOW)
BACK = Receipt(source="till-1", source_key="B1", occurred_at=NOW + timedelta(days=1))


@pytest.mark.django_db
def test_a_sale_is_written_with_its_lines_and_told_of() -> None:
    customer = make_customer(WANG)
    Product.objects.create(code="MILK", name="Organic milk", cost=Decimal("11.0000"))

    purchase = record_purchase(
        receipt=RECEIPT, lines=[MILK, BREAD], customer=customer, tenders=[TenderPart("cash", Decimal("63.00"))],
        actor=SYSTEM, now=NOW,
    )  # fmt: skip

    amounts = (purchase.gross_amount, purchase.discount_amount, purchase.net_amount)
    assert amounts == (Decimal("63.00"), Decimal(0), Decimal("63.00"))
    assert purchase.cost_amount is None, "the bread's cost is not known, so the receipt's is not"
    lines = list(
        purchase.lines.order_by("line_no").values_list("line_no", "product__code", "net_amount", "cost_amount")
    )
    assert lines == [(1, "MILK", Decimal("37.00"), Decimal("22.00")), (2, "BREAD", Decimal("26.00"), None)]
    activity = Activity.objects.get(kind="purchase.completed")
    assert (activity.customer_id, activity.source) == (customer.pk, f"purchase:{purchase.pk}")
    assert activity.facts == {"net": "63.00", "currency": "HKD", "lines": 2}


@pytest.mark.django_db
def test_the_same_receipt_again_is_the_purchase_recorded_first() -> None:
    first = make_purchase(source_key="R1")
    again = make_purchase(source_key="R1")

    assert again.pk == first.pk
    assert Purchase.objects.count() == 1
    assert Activity.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda: {"lines": [MILK]},
        lambda: {"lines": [MILK, replace(BREAD, unit_price=Decimal("26.50"))]},
        lambda: {"occurred_at": NOW + timedelta(minutes=1)},
        lambda: {"customer": make_customer(WANG)},
        lambda: {"branch": make_branch()},
    ],
)
def test_the_same_number_for_another_receipt_is_a_conflict(change: Callable[[], dict[str, object]]) -> None:
    make_purchase(source_key="R1")

    with pytest.raises(Conflict):
        make_purchase(source_key="R1", **change())  # type: ignore[arg-type]

    assert Purchase.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("receipt", "field"),
    [
        (replace(RECEIPT, currency="TWD"), "currency"),
        (replace(RECEIPT, source_key=" "), "source_key"),
        (replace(RECEIPT, occurred_at=datetime(2026, 3, 2)), "occurred_at"),  # noqa: DTZ001 (the point of the test)
    ],
)
def test_a_receipt_that_cannot_be_is_refused_by_field(receipt: Receipt, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        record_purchase(receipt=receipt, lines=[MILK], actor=SYSTEM, now=NOW)

    assert refused.value.details["field"] == field
    assert not Purchase.objects.exists()


@pytest.mark.django_db
def test_a_cashier_records_for_their_own_branch_only() -> None:
    own, other = make_branch("A"), make_branch("B")
    cashier = actor_in(Role.CASHIER, branches=[own])

    record_purchase(receipt=replace(RECEIPT, branch=own), lines=[MILK], actor=cashier, now=NOW)
    with pytest.raises(NotFound):
        record_purchase(receipt=replace(RECEIPT, source_key="R2", branch=other), lines=[MILK], actor=cashier, now=NOW)
    with pytest.raises(PermissionRefused):
        record_purchase(receipt=RECEIPT, lines=[MILK], actor=actor_in(Role.ANALYST), now=NOW)

    assert Purchase.objects.count() == 1


@pytest.mark.django_db
def test_a_return_points_to_the_lines_it_undoes() -> None:
    sale = make_purchase(make_customer(WANG))

    back = record_return(original=sale, receipt=BACK, lines=[ReturnedLine(1, Decimal(1))], actor=SYSTEM, now=NOW)

    line = PurchaseLine.objects.get(purchase=back)
    assert (line.original_purchase_id, line.original_line_no) == (sale.pk, 1)
    assert (line.quantity, line.net_amount, back.net_amount) == (Decimal(-1), Decimal("-18.50"), Decimal("-18.50"))
    assert (back.kind, back.original_id, back.customer_id) == ("return", sale.pk, sale.customer_id)


@pytest.mark.django_db
def test_more_than_was_bought_cannot_come_back_even_in_two_goes() -> None:
    sale = make_purchase()
    record_return(original=sale, receipt=BACK, lines=[ReturnedLine(1, Decimal(2))], actor=SYSTEM, now=NOW)

    with pytest.raises(InvalidInput):
        record_return(
            original=sale, receipt=replace(BACK, source_key="B2"), lines=[ReturnedLine(1, Decimal(1))],
            actor=SYSTEM, now=NOW,
        )  # fmt: skip

    assert Purchase.objects.filter(kind="return").count() == 1


@pytest.mark.django_db
def test_a_return_sent_twice_is_one_return() -> None:
    sale = make_purchase()
    first = record_return(original=sale, receipt=BACK, lines=[ReturnedLine(1, Decimal(1))], actor=SYSTEM, now=NOW)
    again = record_return(original=sale, receipt=BACK, lines=[ReturnedLine(1, Decimal(1))], actor=SYSTEM, now=NOW)

    assert first.pk == again.pk
    with pytest.raises(Conflict):
        record_return(original=sale, receipt=BACK, lines=[ReturnedLine(2, Decimal(1))], actor=SYSTEM, now=NOW)


@pytest.mark.django_db
def test_what_was_returned_is_voided_before_its_sale() -> None:
    sale = make_purchase()
    back = record_return(original=sale, receipt=BACK, lines=[ReturnedLine(1, Decimal(1))], actor=SYSTEM, now=NOW)

    with pytest.raises(Conflict):
        void_purchase(purchase=sale, actor=SYSTEM, now=NOW)
    void_purchase(purchase=back, actor=SYSTEM, now=NOW)
    voided = void_purchase(purchase=sale, actor=SYSTEM, now=NOW)

    assert (voided.status, voided.voided_at) == ("voided", NOW)
    with pytest.raises(Conflict):
        record_return(
            original=sale, receipt=replace(BACK, source_key="B2"), lines=[ReturnedLine(1, Decimal(1))],
            actor=SYSTEM, now=NOW,
        )  # fmt: skip


@pytest.mark.django_db
def test_voiding_again_changes_nothing() -> None:
    sale = make_purchase()
    void_purchase(purchase=sale, actor=SYSTEM, now=NOW)

    again = void_purchase(purchase=sale, actor=SYSTEM, now=NOW + timedelta(hours=1))

    assert again.voided_at == NOW
    assert Activity.objects.filter(kind="purchase.voided").count() == 1


def _at_once(*works: Callable[[], object]) -> list[object]:
    """Run `works` in threads, each on its own connection; what each returned or raised."""
    results: list[object] = [None] * len(works)
    gate = threading.Barrier(len(works))

    def run(index: int, work: Callable[[], object]) -> None:
        gate.wait()
        try:
            results[index] = work()
        except DomainError as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.mark.django_db(transaction=True)
def test_one_receipt_sent_by_eight_connections_at_once_is_one_purchase() -> None:
    results = _at_once(*[lambda: make_purchase(source_key="R1").pk] * 8)

    assert len(set(results)) == 1
    assert Purchase.objects.count() == 1
    assert Product.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_tills_cannot_take_back_the_same_thing() -> None:
    sale = make_purchase(lines=[Line("MILK", Decimal(1), Decimal(10))])

    def take_back(key: str) -> Callable[[], object]:
        return lambda: record_return(
            original=sale, receipt=replace(BACK, source_key=key), lines=[ReturnedLine(1, Decimal(1))],
            actor=SYSTEM, now=NOW,
        )  # fmt: skip

    results = _at_once(*(take_back(f"B{n}") for n in range(4)))

    assert sum(isinstance(result, Purchase) for result in results) == 1
    assert sum(isinstance(result, InvalidInput) for result in results) == 3
    assert Purchase.objects.filter(kind="return").count() == 1


@pytest.mark.django_db
def test_lines_are_never_changed_once_written() -> None:
    sale = make_purchase(occurred_at=datetime(2026, 3, 1, tzinfo=UTC))

    with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
        cursor.execute("UPDATE purchases_purchaseline SET quantity = 9 WHERE purchase_id = %s", [sale.pk])
