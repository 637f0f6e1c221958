"""Members come in with the customer file: enrolled once, cards checked, nobody lost."""

from datetime import date
from pathlib import Path

import pytest

from patron.business.loyalty.models import Account, Card, Membership
from patron.business.loyalty.operations import replace_card
from patron.business.loyalty.queries import find_by_card
from patron.business.loyalty.rules import card_number, is_valid_card
from patron.business.loyalty.testing import make_member, make_programme
from patron.core.accounts.testing import NOW
from patron.core.activities.models import Activity
from patron.core.customers.models import Customer, CustomerSearch
from patron.core.customers.testing import WANG
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import InvalidInput
from patron.kernel.intake.engine import import_file
from patron.kernel.intake.reports import Report

pytestmark = pytest.mark.django_db(transaction=True)

ONE, TWO, THREE = (card_number("8811", serial) for serial in (1, 2, 3))


def _import(
    tmp_path: Path, *rows: str, header: str = "external_id,name,card_number,joined_on", **options: str
) -> Report:
    path = tmp_path / "customers.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return import_file("customers", path, actor=SYSTEM, now=NOW, source="old", options=options)


def _cards() -> dict[str, str]:
    return dict(Card.objects.order_by("membership__customer__name").values_list("membership__customer__name", "number"))


def test_members_come_with_their_cards_and_days(tmp_path: Path) -> None:
    make_programme()
    report = _import(
        tmp_path, f"1,An,{ONE},2019-05-04", f"2,Bo,{TWO[:4]} {TWO[4:8]}-{TWO[8:]},", "3,Cy,,2020-01-02", "4,Di,,"
    )
    assert (report.added, report.rejected) == (4, 0)
    assert report.created == {"members": 3, "cards": 3}
    assert dict(Membership.objects.values_list("customer__name", "joined_on")) == {
        "An": date(2019, 5, 4),
        "Bo": date(2026, 3, 2),
        "Cy": date(2020, 1, 2),
    }
    cards = _cards()
    assert (cards["An"], cards["Bo"]) == (ONE, TWO)
    assert cards["Cy"][:4] == "8800"
    assert is_valid_card(cards["Cy"])
    assert Account.objects.filter(overdraft_allowed=True, bucket="available").count() == 3
    told = dict(Activity.objects.filter(kind="loyalty.enrolled").values_list("customer__name", "occurred_at"))
    assert {name: at.isoformat() for name, at in told.items()} == {
        "An": "2019-05-03T16:00:00+00:00",
        "Bo": "2026-03-02T01:00:00+00:00",
        "Cy": "2020-01-01T16:00:00+00:00",
    }


def test_a_card_number_finds_the_customer(tmp_path: Path) -> None:
    make_programme()
    _import(tmp_path, f"1,An,{ONE},")
    assert find_by_card(ONE, SYSTEM).customer.name == "An"
    assert any(ONE[-4:] in term for term in CustomerSearch.objects.get().terms)


def test_importing_again_adds_nothing(tmp_path: Path) -> None:
    make_programme()
    rows = (f"1,An,{ONE},2019-05-04", "2,Bo,,2020-01-02")
    _import(tmp_path, *rows)
    before = (_cards(), Activity.objects.count())
    report = _import(tmp_path, *rows, "")
    assert report.created == {"members": 0, "cards": 0}
    assert (_cards(), Activity.objects.count()) == before


def test_a_changed_day_of_joining_is_taken_over(tmp_path: Path) -> None:
    make_programme()
    _import(tmp_path, "1,An,,2019-05-04")
    _import(tmp_path, "1,An,,2018-05-04")
    assert Membership.objects.get().joined_on == date(2018, 5, 4)
    _import(tmp_path, f"1,An,{ONE},")
    assert Membership.objects.get().joined_on == date(2018, 5, 4)


@pytest.mark.parametrize("number", [ONE[:-1] + str((int(ONE[-1]) + 1) % 10), "12345", "8811-ABCD-0000-0000"])
def test_a_wrong_card_number_is_left_out_and_the_customer_goes_in(tmp_path: Path, number: str) -> None:
    make_programme()
    report = _import(tmp_path, f"1,An,{number},2019-05-04", f"2,Bo,{TWO},")
    assert report.added == 2
    assert {line.code: line.rows for line in report.treatments}["card_check_digit"] == 1
    cards = _cards()
    assert cards["An"] != number
    assert cards["Bo"] == TWO


def test_a_card_number_of_somebody_else_is_refused_by_row_and_the_customer_goes_in(tmp_path: Path) -> None:
    make_member(character=WANG, number=THREE)
    report = _import(tmp_path, f"1,An,{ONE},", f"2,Bo,{ONE},", f"3,Cy,{THREE},")
    assert report.added == 3
    assert {line.code: line.rows for line in report.treatments} == {"card_taken": 2}
    assert sorted(Customer.objects.exclude(name=WANG.name).values_list("name", flat=True)) == ["An", "Bo", "Cy"]
    cards = _cards()
    assert (cards["An"], cards[WANG.name]) == (ONE, THREE)
    assert {cards["Bo"][:4], cards["Cy"][:4]} == {"8800"}
    errors = Path(report.error_file).read_text(encoding="utf-8")
    assert errors.count("belongs to another customer") == 2


def test_a_member_with_another_card_keeps_it(tmp_path: Path) -> None:
    make_programme()
    _import(tmp_path, f"1,An,{ONE},")
    report = _import(tmp_path, f"1,An,{TWO},")
    assert {line.code: line.rows for line in report.treatments} == {"card_taken": 1}
    assert _cards() == {"An": ONE}
    assert "another card" in Path(report.error_file).read_text(encoding="utf-8")


def test_a_blocked_card_stays_blocked(tmp_path: Path) -> None:
    make_programme()
    _import(tmp_path, f"1,An,{ONE},")
    replace_card(Membership.objects.get(), lost=True, actor=SYSTEM, now=NOW)
    report = _import(tmp_path, f"1,An,{ONE},")
    assert report.rejected == 0
    assert Card.objects.get(number=ONE).status == "lost"
    assert Card.objects.filter(status="active").count() == 1


def test_everybody_is_enrolled_where_the_user_says_so_and_nobody_where_not(tmp_path: Path) -> None:
    make_programme()
    _import(tmp_path, "1,An", header="external_id,name", enrol="yes")
    _import(tmp_path, f"2,Bo,{ONE},2019-05-04", enrol="no")
    assert list(Membership.objects.values_list("customer__name", flat=True)) == ["An"]


def test_numbers_of_the_series_in_use_are_passed_over(tmp_path: Path) -> None:
    programme = make_programme()
    serial = int(make_member(programme, character=WANG).cards.get().number[4:-1])
    printed = [f"{n},P{n},{card_number('8800', serial + n)}," for n in range(1, 6)]
    _import(tmp_path, *printed)
    _import(tmp_path, *(f"{n},N{n}" for n in range(10, 13)), header="external_id,name", enrol="yes")
    cards = _cards()
    assert {cards[f"N{n}"] for n in range(10, 13)} == {card_number("8800", serial + n) for n in range(6, 9)}
    assert Card.objects.count() == 9


def test_a_day_to_come_is_taken_as_today(tmp_path: Path) -> None:
    make_programme()
    report = _import(tmp_path, "1,An,,2026-03-03")
    assert {line.code: line.rows for line in report.treatments} == {"joined_in_future": 1}
    assert Membership.objects.get().joined_on == date(2026, 3, 2)


def test_without_a_programme_customers_go_in_and_nobody_is_enrolled(tmp_path: Path) -> None:
    report = _import(tmp_path, f"1,An,{ONE},2019-05-04")
    assert (report.added, Membership.objects.count()) == (1, 0)
    assert [line.code for line in report.treatments] == ["no_programme"]


def test_with_several_programmes_one_must_be_named(tmp_path: Path) -> None:
    make_programme("gold")
    club = make_programme("club")
    with pytest.raises(InvalidInput, match="programme"):
        _import(tmp_path, f"1,An,{ONE},")
    assert not Customer.objects.exists()
    _import(tmp_path, f"1,An,{ONE},", programme="club")
    assert Membership.objects.get().programme == club
