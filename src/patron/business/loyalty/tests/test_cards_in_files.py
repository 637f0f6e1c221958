"""Files of purchases that name members by their cards."""

from pathlib import Path

import pytest

from patron.business.loyalty.testing import make_member
from patron.business.purchases.models import Purchase
from patron.core.accounts.testing import NOW
from patron.core.customers.models import Customer
from patron.core.customers.testing import WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.intake.engine import import_file


@pytest.mark.django_db(transaction=True)
def test_a_card_number_in_a_file_of_purchases_is_the_member(tmp_path: Path) -> None:
    wang = make_customer(WANG)
    number = make_member(customer=wang).cards.get().number
    file = tmp_path / "sales.csv"
    file.write_text(
        f"invoice,date,customer,product code,quantity,unit price\nR1,2026-03-01 10:00,{number},MILK,2,18.50\n",
        encoding="utf-8",
    )

    report = import_file("purchases", file, actor=SYSTEM, now=NOW)

    assert (report.added, report.created.get("customers", 0)) == (1, 0)
    assert Purchase.objects.get().customer_id == wang.pk
    assert Customer.objects.count() == 1
