"""The pages that read the programme: what they say, who may open them, what they hand out as files."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from patron.business.loyalty.models import Approval, LedgerTransaction, Membership
from patron.business.loyalty.operations import adjust_points, reserve_points, spend_points
from patron.business.loyalty.queries import Ageing, ExpiringMonth, Purpose, Rolled, Wait
from patron.business.loyalty.rules.breakage import Cohort, Expected
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.support import sell
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch
from patron.core.customers.testing import WANG, make_customer
from patron.kernel import clock
from patron.kernel.actor import SYSTEM
from patron.touchpoints.workspace.loyalty_charts import (
    ageing_chart,
    breakage_chart,
    expiring_chart,
    purposes_chart,
    rolled_chart,
    waits_chart,
)
from patron.touchpoints.workspace.tests.customer_pages import signed_in

pytestmark = pytest.mark.django_db

PAGES = [
    "/loyalty/expiring/",
    "/loyalty/redemptions/",
    "/loyalty/liability/",
    "/loyalty/journal/",
    "/loyalty/watch/",
    "/loyalty/approvals/",
]
FILES = [
    "/loyalty/expiring.csv",
    "/loyalty/expiring.xlsx",
    "/loyalty/liability/months.csv",
    "/loyalty/liability/breakage.xlsx",
    "/loyalty/journal.csv",
    "/loyalty/journal.xlsx",
]


@pytest.fixture
def client() -> Client:
    return signed_in()


@pytest.fixture
def member() -> Membership:
    """300 points a month ago, of which 40 were spent and 25 are set aside."""
    member = make_member(customer=make_customer(WANG))
    now = clock.now()
    sell(member.customer, "300", at=now - timedelta(days=31))
    spend_points(
        member, Decimal(40), request_key="gift:1", reason="Umbrella × 1", actor=SYSTEM, now=now - timedelta(days=2)
    )
    reserve_points(
        member, Decimal(25), request_key="r", until=now + timedelta(days=1), actor=SYSTEM, now=now - timedelta(days=1)
    )
    return member


def _text(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return " ".join(response.content.decode().split())


def _file(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]


@pytest.mark.parametrize("address", PAGES)
def test_every_page_opens_before_there_is_anything(client: Client, address: str) -> None:
    assert "<h1>" in _text(client, address)
    make_programme()
    assert "<h1>" in _text(client, address)


@pytest.mark.parametrize("address", FILES)
@pytest.mark.usefixtures("member")
def test_every_table_can_be_taken_away(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200
    assert "attachment" in response["Content-Disposition"]
    assert b"".join(response.streaming_content)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("role", "opens"),
    [
        (Role.EXECUTIVE, [True, True, True, True, True, False]),
        (Role.ANALYST, [True, True, True, True, True, False]),
        (Role.MARKETER, [True, True, False, False, False, True]),
        (Role.BRANCH_MANAGER, [True, True, False, False, True, True]),
        (Role.CASHIER, [False] * 6),
        (Role.SERVICE_AGENT, [False] * 6),
    ],
)
def test_each_role_opens_what_its_work_needs(role: Role, opens: list[bool]) -> None:
    make_programme()
    browser = signed_in(role, branches=[make_branch()])
    assert [browser.get(address).status_code == 200 for address in PAGES] == opens


def test_the_statement_says_what_can_be_spent_and_why(client: Client, member: Membership) -> None:
    text = _text(client, f"/customers/{member.customer.number}/points/")
    assert "<strong>235 points</strong> can be spent, worth HK$2.35." in text
    assert "<strong>25</strong> are set aside." in text
    assert "300.00 paid holds 300 whole × 1.00; × 1 = 300 points." in text
    assert "40 points redeemed. Umbrella × 1" in text


def test_the_statement_can_be_narrowed_and_taken_away(client: Client, member: Membership) -> None:
    address = f"/customers/{member.customer.number}/points"
    text = _text(client, f"{address}/?kind=spend")
    assert "Umbrella" in text
    assert "300.00 paid" not in text
    long_ago = _text(client, f"{address}/?to=2001-01-01")
    assert "No movements" in long_ago
    lines = _file(client, f"{address}.csv?kind=spend").splitlines()
    assert len(lines) == 2
    assert ",Spent,-40.00,260.00,0,0,40 points redeemed. Umbrella × 1," in lines[1]
    assert client.get(f"{address}/?unit=beans").status_code == 422
    assert client.get(f"{address}/?from=yesterday").status_code == 422


def test_the_statement_asks_as_often_for_many_movements(
    client: Client, member: Membership, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(20):
        adjust_points(member, Decimal(1), reason="x", request_key=f"a{n}", actor=SYSTEM, now=clock.now())
    with django_assert_max_num_queries(14):
        _text(client, f"/customers/{member.customer.number}/points/")


def test_points_are_adjusted_from_the_statement_once(client: Client, member: Membership) -> None:
    address = f"/customers/{member.customer.number}/points/adjust/"
    form = {"points": "15", "reason": "Late delivery", "request_key": "abc"}
    for _again in range(2):
        assert client.post(address, form).status_code == 302
    assert LedgerTransaction.objects.filter(kind="adjust").count() == 1
    assert "Adjusted by hand: Late delivery." in _text(client, f"/customers/{member.customer.number}/points/")
    refused = client.post(address, form | {"points": "-9000", "request_key": "b", "reason": ""})
    assert refused.status_code == 422


def test_a_large_adjustment_waits_for_somebody_else(client: Client, member: Membership) -> None:
    client.post(
        f"/customers/{member.customer.number}/points/adjust/",
        {"points": "8000", "reason": "Competition", "request_key": "abc"},
    )
    approval = Approval.objects.get()
    assert "wait for approval" in _text(client, f"/customers/{member.customer.number}/points/")
    assert "Somebody else decides." in _text(client, "/loyalty/approvals/")
    client.post(f"/loyalty/approvals/{approval.pk}/", {"decision": "approve"})
    assert not LedgerTransaction.objects.filter(kind="adjust").exists()

    second = signed_in(Role.MARKETER, username="second")
    assert "<strong>1 adjustment</strong> of 8,000 points waits" in _text(second, "/loyalty/approvals/")
    second.post(f"/loyalty/approvals/{approval.pk}/", {"decision": "approve"})
    assert LedgerTransaction.objects.get(kind="adjust").amount == 8000
    assert "Nothing waits for approval." in _text(second, "/loyalty/approvals/")


def test_what_expires_is_said_in_a_sentence(client: Client, member: Membership) -> None:
    until = clock.today(clock.now()) + timedelta(days=500)
    text = _text(client, f"/loyalty/expiring/?until={until}")
    assert "<strong>235 points</strong> worth <strong>HK$2.35</strong> of 1 member expire by" in text
    assert f"/customers/{member.customer.number}/" in text
    rows = _file(client, f"/loyalty/expiring.csv?until={until}").splitlines()
    assert rows[1].startswith(f"{member.customer.number},")
    assert ",235.00,2.35," in rows[1]
    assert client.get("/loyalty/expiring/?until=2001-01-01").status_code == 422
    assert client.get("/loyalty/expiring/?after=x").status_code == 422


@pytest.mark.usefixtures("member")
def test_the_liability_ties_and_says_so(client: Client) -> None:
    text = _text(client, "/loyalty/liability/")
    assert "<strong>260 points</strong> are outstanding, worth <strong>HK$2.60</strong>" in text
    assert "closes with the 260 points that the ledger holds" in text
    day = clock.today(clock.now()) - timedelta(days=10)
    assert "<strong>300 points</strong> are outstanding" in _text(client, f"/loyalty/liability/?on={day}")
    assert client.get("/loyalty/liability/?on=2199-01-01").status_code == 422


@pytest.mark.usefixtures("member")
def test_the_journal_balances_and_says_so(client: Client) -> None:
    first = clock.today(clock.now()) - timedelta(days=60)
    text = _text(client, f"/loyalty/journal/?from={first}")
    assert "<strong>3 movements</strong>" in text
    assert "each sums to zero" in text
    rows = _file(client, f"/loyalty/journal.csv?from={first}").splitlines()
    assert len(rows) == 7
    assert client.get("/loyalty/journal/?from=2026-02-01&to=2026-01-01").status_code == 422


@pytest.mark.usefixtures("member")
def test_redemptions_are_said_in_a_sentence(client: Client) -> None:
    text = _text(client, "/loyalty/redemptions/")
    assert "<strong>40 points</strong> worth <strong>HK$0.40</strong> were redeemed" in text
    assert "That is <strong>13.3 %</strong> of the 300 given." in text


def test_what_is_worth_a_look_accuses_nobody(client: Client, member: Membership) -> None:
    now = clock.now()
    for n in range(5):
        sell(member.customer, "10", at=now - timedelta(minutes=n))
    text = _text(client, "/loyalty/watch/")
    assert "worth a look" in text
    assert "4 purchases within 30 minutes (2 ×)." in text
    assert "fraud" not in text.lower()
    only = _text(client, "/loyalty/watch/?rule=in_a_row&purchases_in_a_row=3")
    assert "3 purchases within 30 minutes (3 ×)." in only
    assert "Nothing unusual" in _text(client, "/loyalty/watch/?purchases_a_day=90&purchases_in_a_row=90")


# --- pictures ----------------------------------------------------------------------------------------------------


def test_the_months_between_are_drawn_too() -> None:
    chart = expiring_chart(
        [ExpiringMonth(date(2026, 12, 1), Decimal(370), 2), ExpiringMonth(date(2027, 2, 1), Decimal(50), 1)]
    )
    assert chart is not None
    assert [row[0] for row in chart.table.rows] == [date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)]
    assert [bar["value"] for bar in chart.option["series"][0]["data"]] == [370.0, 0, 50.0]
    assert chart.reading == "Most expire in Dec 2026: 370 points of 2 members."


def test_ageing_tells_what_never_expires() -> None:
    chart = ageing_chart([Ageing(date(2026, 12, 1), Decimal(70)), Ageing(None, Decimal(30))])
    assert chart is not None
    assert chart.reading == "70 points have a date by which they expire. 30 never expire."
    assert ageing_chart([Ageing(None, Decimal(30))]) is None


def test_months_and_breakage_are_drawn_as_told() -> None:
    nil = Decimal(0)
    months = [Rolled(date(2026, 1, 1), nil, Decimal(500), nil, Decimal(100), nil, nil, nil, Decimal(400))]
    rolled = rolled_chart(months)
    assert rolled is not None
    assert rolled.table.rows == ((date(2026, 1, 1), Decimal(500), Decimal(400)),)
    cohort = Cohort(date(2026, 1, 1), Decimal(200), 3, used={1: Decimal(120)}, expired={2: Decimal(50)})
    breakage = breakage_chart([Expected(cohort, Decimal(30), Decimal(0))])
    assert breakage is not None
    assert breakage.table.rows == ((date(2026, 1, 1), Decimal("0.25"), Decimal("0.4")),)
    assert breakage.reading.endswith("40.0\xa0% are expected to expire unused.")
    assert breakage_chart([]) is None
    assert breakage_chart([Expected(Cohort(date(2026, 1, 1), Decimal(200), 0), nil, nil)]) is None
    assert rolled_chart([]) is None


def test_purposes_and_waits_are_drawn_as_told() -> None:
    purposes = purposes_chart([Purpose("gift", Decimal(75), 3, 2), Purpose("other", Decimal(25), 1, 1)], {
        "gift": "Gifts", "other": "Other"})  # fmt: skip
    assert purposes is not None
    assert purposes.reading == "Gifts: 75.0\xa0% of all points redeemed."
    waits = waits_chart([Wait(0, 30, Decimal(5)), Wait(365, None, Decimal(7))], Decimal("39.5"))
    assert waits is not None
    assert waits.reading == "On average a point is redeemed 40 days after it was earned."
    assert waits_chart([], None) is None
