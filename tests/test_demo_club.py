"""The demo company's club, set up on a small company: what it promises holds, and it is set up once."""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pytest_django import Settings

from patron.business.gifts.models import GiftOrder
from patron.business.gifts.queries import check_stock
from patron.business.loyalty.models import Approval, LedgerTransaction, Membership, ProgrammeVersion, Unit
from patron.business.loyalty.operations import create_programme
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.queries.watch import findings
from patron.business.loyalty.rules.terms import Terms
from patron.business.storedvalue.queries import check_stored_value
from patron.business.tills.models import Terminal
from patron.business.vouchers.models import Voucher, VoucherUse
from patron.business.vouchers.queries import check_vouchers
from patron.config.demo import loading, programme
from patron.config.demo.club import set_up_club
from patron.kernel.actor import SYSTEM
from patron.kernel.intake.engine import import_file

NOW = datetime(2026, 3, 17, 9, 30, tzinfo=UTC)
MEMBERS = 110

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(tmp_path: Path, settings: Settings) -> None:
    """Five branches, forty products, and 110 members each of whom bought once, in February."""
    settings.HOME, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    create_programme(
        code=programme.CODE,
        name=programme.NAME,
        currency=settings.CURRENCY,
        rules_from=loading.RULES_FROM,
        terms=Terms.read(programme.OPENING),
        actor=SYSTEM,
        now=NOW,
    )
    members = range(MEMBERS)
    for kind, header, rows, options in (
        ("branches", "code,name", ((code, f"Branch {code}") for code in loading.BUSIEST_BRANCHES), {}),
        (
            "products",
            "code,name,category,list_price",
            (
                (f"P{n:02}", f"Thing {n}", "GROCERY > COFFEE" if n % 2 else "GROCERY > CHEESE", 15 + n)
                for n in range(40)
            ),
            {},
        ),
        (
            "customers",
            "external_id,name,phone,birth_on,registered_on,joined_on",
            ((n, f"Member {n}", f"+8529{n:07}", "1980-03-20", "2025-01-02", "2025-01-02") for n in members),
            {"enrol": "yes"},
        ),
        (
            "purchases",
            "invoice,occurred_at,branch_code,customer_id,product_code,quantity,amount",
            ((n, f"2026-02-{1 + n % 28:02}T10:00:00", "367", n, "P01", 1, _spent(n)) for n in members),
            {},
        ),
    ):
        path = tmp_path / f"{kind}.csv"
        _write(path, header, rows)
        report = import_file(kind, path, actor=SYSTEM, now=NOW, source="pos", options=options)
        assert report.rejected == 0, report
    loading._create_staff(actor=SYSTEM, now=NOW)


def _spent(number: int) -> Decimal:
    """Two in three have 9,000 points, one in three are gold with 3,000 and some."""
    return Decimal("9000.50") if number % 3 else Decimal("3200.50")


def _write(path: Path, header: str, rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])


def _set_up(now: datetime = NOW) -> None:
    set_up_club(branch_codes=loading.BUSIEST_BRANCHES, actor=SYSTEM, now=now)


@pytest.mark.usefixtures("company")
def test_club_is_set_up_and_everything_adds_up() -> None:
    imported = LedgerTransaction.objects.filter(unit=Unit.POINTS).count()

    _set_up()

    assert imported == MEMBERS
    assert not [check for check in (*check_ledger(), *check_stored_value(), *check_vouchers()) if not check.holds]
    assert check_stock() == []
    versions = ProgrammeVersion.objects.order_by("version")
    assert [Terms.read(version.terms) for version in versions] == [
        Terms.read(programme.OPENING),
        Terms.read(programme.CURRENT),
    ]
    assert Terminal.objects.count() == 2 * len(loading.BUSIEST_BRANCHES)
    assert Voucher.objects.filter(definition__code="birthday").count() == MEMBERS
    assert VoucherUse.objects.exists()
    assert set(GiftOrder.objects.values_list("state", flat=True)) >= {"reserved", "ready", "handed_over", "cancelled"}
    assert Membership.objects.filter(tier=programme.PATRON).count() == 3
    assert Approval.objects.get().state == Approval.State.WAITING


@pytest.mark.usefixtures("company")
def test_watch_finds_what_the_club_was_given_for_it() -> None:
    _set_up()

    found = {finding.rule for finding in findings(SYSTEM, since=NOW - timedelta(days=20), until=NOW)}

    assert found >= {"own_card", "same_cashier", "after_adjustment", "adjustments", "many_a_day", "in_a_row"}


@pytest.mark.usefixtures("company")
def test_club_set_up_again_the_next_day_is_left_as_it_is() -> None:
    _set_up()
    movements = LedgerTransaction.objects.count()

    _set_up(NOW + timedelta(days=1))

    assert LedgerTransaction.objects.count() == movements
    assert ProgrammeVersion.objects.count() == 2
