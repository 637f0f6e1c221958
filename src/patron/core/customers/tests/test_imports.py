from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.apps import apps

from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch
from patron.core.customers.models import Address, Consent, ContactPoint, Customer, CustomerSearch, ExternalId
from patron.core.customers.queries import identify_customer
from patron.core.customers.search import search_customers
from patron.kernel.actor import system
from patron.kernel.errors import PermissionRefused
from patron.kernel.intake.engine import import_file
from patron.kernel.intake.reports import Report

pytestmark = pytest.mark.django_db(transaction=True)
IMPORT = system("import")
AGENT = actor_in(Role.SERVICE_AGENT)

HEADER = (
    "會員編號,姓名,surname,first name,english name,性別,生日,手機,電郵,地址,緯度,經度,語言,職業,登記日期,分店,"
    "consent_marketing_sms,newsletter,備註"
)

Activity = apps.get_model("activities", "Activity")  # the log stands above this room
ROWS = [
    (
        "M1,陳大文,陳,大文,Chan Tai Man,男,1981-03-06,6123 4567,TaiMan@Example.com,1 Nathan Road,22.3193,114.1694,"
        "繁體中文,Teacher,2019-05-04,KLN,yes,no,No peanuts"
    ),
    "M2,,王,美玲,Wang Mei-ling,F,1990-11-21,(852) 9876-5432,,,,,中文,,2019-01-15,KLN,,yes,",
    "M3,,Appleby,John,,Mr,1967-02-28,+44 20 7946 0123,j@example.co.uk,,,,English,,,,no,,",
]


def write(tmp_path: Path, *rows: str, header: str = HEADER, name: str = "customers.csv") -> Path:
    file = tmp_path / name
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


def run(file: Path, *, source: str = "pos", now: datetime = NOW, dry_run: bool = False) -> Report:
    return import_file("customers", file, actor=IMPORT, now=now, source=source, dry_run=dry_run)


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.rejected


def treated(report: Report) -> dict[str, int]:
    return {treatment.code: treatment.rows for treatment in report.treatments if treatment.rows}


def test_a_file_goes_in_whole(tmp_path: Path) -> None:
    branch = make_branch()
    report = run(write(tmp_path, *ROWS))
    assert counts(report) == (3, 0, 0, 0)
    chan = ExternalId.objects.get(source="pos", value="M1").customer
    assert (chan.name, chan.family_name, chan.given_name, chan.latin_name) == ("陳大文", "陳", "大文", "Chan Tai Man")
    assert (chan.sex, chan.birth_on, chan.language, chan.occupation) == ("male", date(1981, 3, 6), "zh-hant", "Teacher")
    assert (chan.home_branch, chan.registered_on, chan.preferences) == (branch, date(2019, 5, 4), "No peanuts")
    assert sorted(chan.contact_points.values_list("kind", "value", "is_primary", "source")) == [
        ("email", "taiman@example.com", True, "pos"),
        ("phone", "+85261234567", True, "pos"),
    ]
    address = Address.objects.get(customer=chan)
    assert (address.lines, address.latitude, address.longitude) == (
        "1 Nathan Road",
        Decimal("22.319300"),
        Decimal("114.169400"),
    )
    assert sorted(chan.consents.values_list("channel", "granted", "source")) == [
        ("email", False, "import: pos"),
        ("sms", True, "import: pos"),
    ]
    told = Activity.objects.get(customer=chan)
    assert (told.kind, told.occurred_at) == ("customer.registered", datetime(2019, 5, 4, 4, 0, tzinfo=UTC))
    names = list(Customer.objects.order_by("number").values_list("name", flat=True))
    assert names == ["陳大文", "王美玲", "John Appleby"]
    assert ContactPoint.objects.get(customer__name="John Appleby", kind="phone").value == "+442079460123"
    assert Address.objects.count() == 1
    assert [hit.name for hit in search_customers("meiling", actor=AGENT)] == ["王美玲"]
    assert identify_customer("M2", actor=AGENT).name == "王美玲"


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    make_branch()
    file = write(tmp_path, *ROWS)
    run(file)
    before = (
        list(Customer.objects.order_by("id").values()),
        Activity.objects.count(),
        Consent.objects.count(),
        list(CustomerSearch.objects.order_by("pk").values()),
    )
    assert counts(run(file)) == (0, 0, 3, 0)
    assert before == (
        list(Customer.objects.order_by("id").values()),
        Activity.objects.count(),
        Consent.objects.count(),
        list(CustomerSearch.objects.order_by("pk").values()),
    )


def test_a_later_file_fills_in_what_it_carries(tmp_path: Path) -> None:
    make_branch()
    run(write(tmp_path, *ROWS))
    later = write(
        tmp_path,
        "M1,陳大民,9000 0001,no,2 Nathan Road",
        "M2,,9876 5432,,",
        "M4,李小明,,,",
        header="id,name,phone,consent_marketing_sms,address",
        name="later.csv",
    )
    assert counts(run(later)) == (1, 1, 1, 0)
    chan = ExternalId.objects.get(value="M1").customer
    assert (chan.name, chan.family_name, chan.occupation) == ("陳大民", "陳", "Teacher")
    phones = chan.contact_points.filter(kind="phone").order_by("id").values_list("value", "is_primary")
    assert list(phones) == [("+85261234567", True), ("+85290000001", False)]
    assert list(chan.consents.filter(channel="sms").order_by("id").values_list("granted", flat=True)) == [True, False]
    address = Address.objects.get(customer=chan)
    assert (address.lines, address.latitude) == ("2 Nathan Road", Decimal("22.319300"))
    assert list(Activity.objects.filter(customer=chan).order_by("id").values_list("kind", flat=True)) == [
        "customer.registered",
        "customer.updated",
    ]
    assert [hit.name for hit in search_customers("陳大民", actor=AGENT)] == ["陳大民"]
    assert search_customers("陳大文", actor=AGENT) == []
    assert [hit.name for hit in search_customers("9000 0001", actor=AGENT)] == ["陳大民"]


def test_dirty_rows_are_treated_as_stated(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "D1,一,12345,x@,F,2199-01-01,91,0,Klingon,NOPE",
        "D2,二,call me,ok@example.com,?,2198-01-01,22.3,,en,",
        "D3,三,61234567,,M,,,,,",
        "D3,三三,61234568,,M,,,,,",
        ",四,,,,,,,,",
        ",五,6000 0005,,,,,,,",
        ",五,6000 0005,,,,,,,",
        ",,,six@example.com,,,,,,",
        header="id,name,phone,email,sex,birthday,lat,lon,language,branch",
    )
    report = run(file)
    assert counts(report) == (5, 0, 0, 1)
    assert treated(report) == {
        "no_identity": 1,
        "bad_email": 1,
        "bad_birthday": 2,
        "bad_coordinates": 2,
        "unknown_sex": 1,
        "unknown_language": 1,
        "repeated_customer": 2,
        "bad_phone": 2,
        "unknown_branch": 1,
    }
    assert Customer.objects.get(external_ids__value="D3").name == "三三"
    assert ContactPoint.objects.filter(customer__external_ids__value="D3").get().value == "+85261234568"
    first = Customer.objects.get(external_ids__value="D1")
    assert (first.birth_on, first.sex, first.language, first.home_branch) == (None, "female", "", None)
    assert first.contact_points.count() == 0
    assert Address.objects.count() == 0
    assert counts(run(file)) == (0, 0, 5, 1)


def test_dry_run_counts_who_is_known_and_writes_nothing(tmp_path: Path) -> None:
    make_branch()
    run(write(tmp_path, ROWS[0]))
    report = run(write(tmp_path, *ROWS, name="more.csv"), dry_run=True)
    assert (report.known, report.new, report.accepted) == (1, 2, 3)
    assert Customer.objects.count() == 1


def test_sources_keep_their_numbers_apart(tmp_path: Path) -> None:
    make_branch()
    run(write(tmp_path, ROWS[0]), source="pos")
    run(write(tmp_path, ROWS[0]), source="shop")
    assert Customer.objects.count() == 2


def test_importing_needs_the_permission(tmp_path: Path) -> None:
    with pytest.raises(PermissionRefused):
        import_file("customers", write(tmp_path, ROWS[0]), actor=actor_in(Role.CASHIER), now=NOW)
    assert Customer.objects.count() == 0


def test_numbers_are_given_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [f"{id_},{name}" for id_, name in (("Z", "甲"), ("A", "乙"), ("M", "丙"))]
    run(write(tmp_path, *rows, header="id,name"))
    assert list(Customer.objects.order_by("number").values_list("name", flat=True)) == ["甲", "乙", "丙"]
