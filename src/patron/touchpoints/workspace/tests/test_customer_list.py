"""The list: who is on it, in which order, with which columns; what it costs; what leaves the house as a file."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from patron.core.accounts.models import Staff
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch
from patron.core.customers.testing import CHAN, LI, WANG, make_customer
from patron.kernel.clock import now, today
from patron.kernel.models import AuditEntry
from patron.kernel.registries import Registry
from patron.touchpoints.workspace import selections
from patron.touchpoints.workspace.models import SavedView
from patron.touchpoints.workspace.selections import Selected, Selection
from patron.touchpoints.workspace.tests.customer_pages import judge, make_judged, make_runs, signed_in

pytestmark = pytest.mark.django_db
LIST = "/customers/"


def _queries(client, url: str) -> int:
    client.get(url)  # what is read once for good is read
    with CaptureQueriesContext(connection) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


def test_best_customers_come_first_and_lead_to_their_pages() -> None:
    first, second = make_judged(2)

    html = signed_in().get(LIST).content.decode()

    assert html.index(first.number) < html.index(second.number)
    assert f'href="/customers/{first.number}/"' in html
    assert "<strong>2 customers</strong>" in html
    assert "HK$99,999" in html


@pytest.mark.parametrize("url", [LIST, f"{LIST}?stage=mature&sort=name", f"{LIST}?sort=-last_visit&unseen_days=1"])
def test_list_costs_the_same_for_one_customer_and_for_twenty(url: str) -> None:
    client = signed_in()
    make_judged(1)
    one = _queries(client, url)

    make_judged(19, character=WANG)

    assert _queries(client, url) == one <= 16


def test_filters_are_said_and_can_be_taken_off() -> None:
    make_judged(1, stage="declining", at_risk=True)

    html = signed_in().get(f"{LIST}?stage=declining&unseen_days=3").content.decode()

    assert "are in the stage “Declining”" in html
    assert "have not come for 3 days" in html
    assert 'href="/customers/?unseen_days=3"' in html
    assert 'href="/customers/?stage=declining"' in html


def test_pages_follow_one_another_both_ways() -> None:
    customers = make_judged(60)
    client = signed_in()

    first = client.get(LIST)
    second = client.get(first.context["next_url"])
    back = client.get(second.context["previous_url"])

    numbers = [[row.number for row in response.context["rows"]] for response in (first, second, back)]
    assert numbers[0] + numbers[1] == [customer.number for customer in customers]
    assert numbers[2] == numbers[0]
    assert (first.context["previous_url"], second.context["next_url"], back.context["previous_url"]) == ("", "", "")


def test_phones_are_masked_for_roles_that_do_not_need_them() -> None:
    make_judged(1)

    seen = signed_in(Role.SERVICE_AGENT).get(LIST).content.decode()
    masked = signed_in(Role.ANALYST).get(LIST).content.decode()

    assert "6123 4567" in seen
    assert "4567" not in masked
    assert "6123 ••••" in masked


def test_branch_bound_staff_see_their_own_customers_only() -> None:
    ours, theirs = make_branch("KLN"), make_branch("TST", "尖沙咀 Tsim Sha Tsui")
    make_customer(CHAN, branch=ours)
    make_customer(WANG, branch=theirs)

    html = signed_in(Role.CASHIER, branches=[ours]).get(LIST).content.decode()

    assert "陳大文" in html
    assert "王美玲" not in html


def test_columns_are_chosen_and_kept_in_every_link() -> None:
    make_judged(1)

    response = signed_in().get(f"{LIST}?column=number&column=kind&stage=mature")
    html = response.content.decode()

    assert [column.code for column in response.context["columns"]] == ["number", "kind"]
    assert "Individual" in html
    assert 'href="/customers/?columns=number%2Ckind"' in html  # the chip that takes the stage off


def test_fragment_is_the_list_alone() -> None:
    make_judged(1)

    html = signed_in().get(LIST, headers={"HX-Request": "true"}).content.decode()

    assert html.strip().startswith('<div id="list"')
    assert "<html" not in html


def test_a_figure_of_a_report_opens_its_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, other = make_judged(2)
    registry: Registry[Selection] = Registry("selection of customers", name=lambda selection: selection.name)
    registry.register(
        Selection(
            "stock",
            lambda query, _actor: Selected(
                [wanted.pk], f"moved in {query['month']}", "/insight/inventory/", "Inventory"
            ),
            parameters=("month", "branch"),
        )
    )
    monkeypatch.setattr(selections, "selections", registry)
    client = signed_in()

    response = client.get(f"{LIST}?from_report=stock&month=2026-02&sort=name")

    assert [row.number for row in response.context["rows"]] == [wanted.number]
    assert "moved in 2026-02" in response.content.decode()
    assert response.context["chips"][0]["url"] == "/customers/?sort=name"
    assert "from_report=stock&amp;month=2026-02" in response.content.decode()  # export and forms keep it
    assert client.get(f"{LIST}?from_report=nothing").status_code == 404
    assert other.number not in response.content.decode()


def test_view_is_saved_shown_as_a_tab_and_deleted() -> None:
    client = signed_in()

    client.post(reverse("view-save"), {"page": "customers", "name": "Slipping", "query": "stage=declining&sort=name"})
    html = client.get(f"{LIST}?stage=declining&sort=name").content.decode()
    view = SavedView.objects.get()

    assert 'aria-current="page">Slipping</a>' in html
    assert client.post(reverse("view-delete", args=[view.pk]), {"page": "customers"}).status_code == 302
    assert not SavedView.objects.exists()


def test_nobody_deletes_the_view_of_another() -> None:
    signed_in(username="one").post(reverse("view-save"), {"page": "customers", "name": "Mine", "query": "vip=1"})

    answer = signed_in(username="two").post(
        reverse("view-delete", args=[SavedView.objects.get().pk]), {"page": "customers"}
    )

    assert answer.status_code == 404
    assert SavedView.objects.count() == 1


def _exported(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_export_is_the_filtered_list_masked_as_on_screen_and_written_into_the_trail() -> None:
    runs = make_runs(today(now()) - timedelta(days=1))
    mature, lost = make_customer(CHAN), make_customer(LI)
    judge(mature, runs)
    judge(lost, runs, rank=2, stage="lost", reason="silent", label="C")

    rows = _exported(signed_in(Role.ANALYST).get("/customers.csv?stage=lost"))

    assert rows[0][:4] == ["Customer", "Number", "Phone", "Stage"]
    assert [row[0] for row in rows[1:]] == ["李小明"]
    assert rows[1][2] == "'+86 138 1234 ••••"  # never a formula
    assert rows[1][3] == "Lost"
    entry = AuditEntry.objects.get(operation__endswith="take_out_customers")
    assert entry.actor == f"staff:{Staff.objects.get().pk}"
    assert entry.facts == {"query": "(private)", "file_format": "csv"}


def test_export_is_refused_without_the_permission_and_for_other_formats() -> None:
    assert signed_in(Role.CASHIER).get("/customers.csv").status_code == 403
    assert signed_in(Role.ANALYST).get("/customers.pdf").status_code == 404
    assert not AuditEntry.objects.exists()


def test_empty_list_says_what_to_do() -> None:
    client = signed_in()

    assert "No customers yet" in client.get(LIST).content.decode()
    assert "Nobody is like this" in client.get(f"{LIST}?vip=1").content.decode()
