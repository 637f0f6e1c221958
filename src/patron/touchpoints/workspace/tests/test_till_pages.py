"""The till in the workspace: choosing one, selling once, refusals, receipts, undoing, and the terminals."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from patron.business.loyalty.models import Membership
from patron.business.loyalty.operations import adjust_points
from patron.business.loyalty.queries import points_balance
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.purchases.models import Purchase
from patron.business.storedvalue.testing import make_deposit
from patron.business.tills.models import Terminal, TillEntry
from patron.business.tills.testing import make_terminal
from patron.business.vouchers.models import WrongCodes
from patron.business.vouchers.testing import make_voucher
from patron.core.accounts.models import Branch, IntegrationKey
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch
from patron.core.catalog.models import Product
from patron.core.catalog.testing import make_product
from patron.core.customers.testing import WANG, make_customer
from patron.kernel import clock
from patron.kernel.actor import SYSTEM
from patron.touchpoints.workspace.tests.customer_pages import signed_in
from patron.touchpoints.workspace.till_draft import Draft, Row, due_of, many_of
from patron.touchpoints.workspace.views import till_sales

pytestmark = pytest.mark.django_db

HX: dict[str, Any] = {"HTTP_HX_REQUEST": "true"}
PAYING = {"paying": {"points": "100", "amount": "1.00"}}


@pytest.fixture
def branch() -> Branch:
    return make_branch()


@pytest.fixture
def terminal(branch: Branch) -> Terminal:
    return make_terminal(branch)


@pytest.fixture
def member(branch: Branch) -> Membership:
    made = make_member(make_programme("club", terms=PAYING), customer=make_customer(WANG, branch=branch))
    adjust_points(made, Decimal(1000), reason="Welcome", request_key="w", actor=SYSTEM, now=clock.now())
    return made


@pytest.fixture
def milk() -> Product:
    return make_product()


@pytest.fixture
def cashier(branch: Branch) -> Client:
    return signed_in(Role.CASHIER, branches=[branch])


def _html(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def _hidden(html: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]*)"', html)


def _form(html: str, **more: Any) -> dict[str, Any]:
    """What the form on the page would send, and more."""
    names = ("client_id", "at", "product", "name", "quantity", "price", "discount", "voucher", "member", "given")
    found: dict[str, Any] = {name: _hidden(html, name) for name in names}
    found |= {f"pay_{kind}": _hidden(html, f"pay_{kind}") for kind in ("points", "stored_value", "card", "mobile")}
    return {name: values for name, values in found.items() if values} | more


def _with_milk(client: Client, **more: Any) -> dict[str, Any]:
    client.post("/till/basket/", _form(_html(client.get("/till/")), do="take", q="MILK-1L"))
    return _form(_html(client.get("/till/")), **more)


def test_a_branch_without_a_till_gets_a_counter_from_whoever_may_set_one_up(branch: Branch) -> None:
    cashier = signed_in(Role.CASHIER, branches=[branch])
    assert "Ask your branch manager" in _html(cashier.get("/till/"))
    assert cashier.post("/till/new-counter/", {"branch": branch.code}).status_code == 403

    manager = signed_in(Role.BRANCH_MANAGER, branches=[branch])
    answer = manager.post("/till/new-counter/", {"branch": branch.code})

    assert (answer.status_code, answer["Location"]) == (302, "/till/")
    assert Terminal.objects.get().code == "KLN-COUNTER"
    assert "KLN-COUNTER" in _html(cashier.get("/till/"))


def test_where_there_are_several_tills_one_is_chosen_and_remembered(terminal: Terminal, cashier: Client) -> None:
    other = make_terminal(terminal.branch)
    elsewhere = make_terminal(make_branch("HKI", "香港店"))
    assert "At which till are you?" in _html(cashier.get("/till/"))
    assert cashier.post("/till/terminal/", {"terminal": elsewhere.code}).status_code == 404

    cashier.post("/till/terminal/", {"terminal": other.code})

    assert f"{other.code}</span>" in _html(cashier.get("/till/"))


def test_a_sale_with_a_card_pays_points_and_gives_change(
    terminal: Terminal, member: Membership, milk: Product, cashier: Client
) -> None:
    card = member.cards.get().number
    form = _with_milk(cashier, do="take", member=card, quantity=["2"], discount=["10%"])
    page = _html(cashier.post("/till/basket/", form, **HX))
    assert "HK$51.30" in page
    assert "+51 points" in page
    assert 'value="fill:points"' in page
    page = _html(cashier.post("/till/basket/", _form(page, do="fill:points"), **HX))
    assert _hidden(page, "pay_points") == ["10.00"]

    answer = cashier.post("/till/basket/", _form(page, do="sell", given="50"), **HX)

    entry = TillEntry.objects.get()
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"/till/sales/{entry.pk}/?given=50")
    tenders = entry.purchase.tenders.order_by("id").values_list("kind", "amount")
    assert list(tenders) == [("points", Decimal("10.00")), ("cash", Decimal("41.30"))]
    assert entry.points_spent == 1000
    assert entry.purchase.cashier
    receipt = _html(cashier.get(answer["HX-Redirect"]))
    assert "HK$51.30" in receipt
    assert "HK$8.70" in receipt
    assert "1,000 points used" in receipt
    assert "data-why" in receipt
    assert _html(cashier.get("/till/")).count("Remove") == 0  # the counter is free for the next basket
    picture = cashier.get(f"/till/sales/{entry.pk}/card.png")
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/png")
    assert cashier.get(f"/till/sales/{entry.pk}/receipt.escpos").content.startswith(b"\x1b@")


def test_the_same_basket_sent_twice_is_sold_once(terminal: Terminal, milk: Product, cashier: Client) -> None:
    form = _with_milk(cashier, do="sell")

    first, again = cashier.post("/till/basket/", form), cashier.post("/till/basket/", form)

    assert first["Location"] == again["Location"] == f"/till/sales/{TillEntry.objects.get().pk}/"
    assert Purchase.objects.count() == 1


def test_what_is_on_the_counter_survives_a_reload(
    terminal: Terminal, member: Membership, milk: Product, cashier: Client
) -> None:
    form = _with_milk(cashier)
    cashier.post("/till/quote/", form | {"quantity": ["3"], "member": member.customer.number}, **HX)

    page = _html(cashier.get("/till/"))

    assert (_hidden(page, "client_id"), _hidden(page, "quantity")) == (form["client_id"], ["3"])
    assert "HK$85.50" in page
    assert "王美玲" in page


def test_the_quote_names_what_is_typed_wrong_and_nothing_is_sold(
    terminal: Terminal, milk: Product, cashier: Client
) -> None:
    form = _with_milk(cashier)

    quoted = _html(cashier.post("/till/quote/", form | {"quantity": ["-1"]}, **HX))
    sold = cashier.post("/till/basket/", form | {"do": "sell", "quantity": ["-1"]}, **HX)
    short = cashier.post("/till/basket/", form | {"do": "sell", "given": "5"}, **HX)
    over = cashier.post("/till/basket/", form | {"do": "sell", "pay_card": "500"}, **HX)
    unknown = cashier.post("/till/basket/", form | {"do": "sell", "member": "99999999"}, **HX)

    assert "A quantity is more than zero" in quoted
    assert [each.status_code for each in (sold, short, over, unknown)] == [422] * 4
    assert "This is less than what is to be paid in cash." in _html(short)
    assert "This is more than there is to pay." in _html(over)
    assert not Purchase.objects.exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [("milk", "Several products match “milk”. Choose one."), ("NOPE", "No product matches “NOPE”.")],
)
def test_a_name_that_means_none_or_several_adds_nothing(
    typed: str, words: str, terminal: Terminal, milk: Product, cashier: Client
) -> None:
    make_product("MILK-2L", "Organic milk 2 L")

    page = _html(cashier.post("/till/basket/", _form(_html(cashier.get("/till/")), do="take", q=typed), **HX))

    assert words in page
    assert not _hidden(page, "product")


def test_scans_add_up_count_and_are_suggested(terminal: Terminal, milk: Product, cashier: Client) -> None:
    Product.objects.filter(pk=milk.pk).update(barcode="4891234")
    make_product("BAG", "Bag", list_price=None)
    page = _html(cashier.get("/till/"))
    for scanned in ("4891234", "3*milk-1l", "BAG"):
        page = _html(cashier.post("/till/basket/", _form(page, do="take", scanned=scanned, q="48"), **HX))

    assert (_hidden(page, "product"), _hidden(page, "quantity")) == (["MILK-1L", "BAG"], ["4", "1"])
    assert 'data-focus="price-1"' in page  # the bag has no price on file
    assert 'value="add:MILK-1L"' in _html(cashier.get("/till/products/", {"q": "organic"}, **HX))
    assert 'value="free"' in _html(cashier.get("/till/products/", {"q": "zebra"}, **HX))


def test_goods_come_back_by_the_means_that_paid(
    terminal: Terminal, member: Membership, milk: Product, cashier: Client
) -> None:
    form = _with_milk(cashier, do="sell", member=member.customer.number, quantity=["2"], pay_points="10")
    entry_id = int(cashier.post("/till/basket/", form)["Location"].split("/")[3])
    address = f"/till/sales/{entry_id}/return/"

    too_many = cashier.get(address, {"look": "1", "line-1": "3"})
    foreseen = _html(cashier.get(address, {"look": "1", "line-1": "1"}))
    assert too_many.status_code == 422
    assert "Only 2 can still come back." in _html(too_many)
    assert "<dt>Points back</dt><dd>500</dd>" in foreseen
    assert "HK$23.50" in foreseen
    back = {"line-1": "1", "client_id": _hidden(foreseen, "client_id")[0], "at": _hidden(foreseen, "at")[0]}
    first, again = cashier.post(address, back), cashier.post(address, back)

    assert first["Location"] == again["Location"]
    assert Purchase.objects.filter(kind="return").count() == 1
    told = TillEntry.objects.get(kind="return").answer
    assert (told["money_back"], told["points_back"]) == ("23.50", "500")
    receipt = _html(cashier.get(first["Location"]))
    assert "500 points back" in receipt
    listed = _html(cashier.get("/till/sales/"))
    assert "Partly returned" in listed


def test_a_sale_is_voided_by_who_may_after_seeing_what_goes_back(
    terminal: Terminal, member: Membership, milk: Product, branch: Branch, cashier: Client
) -> None:
    form = _with_milk(cashier, do="sell", member=member.customer.number, pay_points="10")
    address = f"{cashier.post('/till/basket/', form)['Location']}void/"
    assert cashier.get(address).status_code == 403
    manager = signed_in(Role.BRANCH_MANAGER, branches=[branch])
    page = _html(manager.get(address))
    assert "HK$18.50" in page
    assert "<dt>Points back</dt><dd>1,000</dd>" in page

    manager.post(address, {"client_id": _hidden(page, "client_id")[0], "at": _hidden(page, "at")[0]})

    assert Purchase.objects.get().status == "voided"
    assert points_balance(member, now=clock.now()).available == 1000
    assert manager.get(address).status_code == 422


def test_sales_of_other_branches_are_not_there(terminal: Terminal, milk: Product, cashier: Client) -> None:
    sold = cashier.post("/till/basket/", _with_milk(cashier, do="sell"))["Location"]
    stranger = signed_in(Role.BRANCH_MANAGER, branches=[make_branch("HKI", "香港店")])

    for address in (sold, f"{sold}card.png", f"{sold}return/", f"{sold}void/"):
        assert stranger.get(address).status_code == 404


def test_recent_sales_go_on_by_page_with_the_same_number_of_queries(
    terminal: Terminal,
    milk: Product,
    cashier: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Any,
) -> None:
    monkeypatch.setattr(till_sales, "SALES_PER_PAGE", 2)
    for _sale in range(3):
        cashier.post("/till/basket/", _with_milk(cashier, do="sell"))

    with django_assert_max_num_queries(12):
        page = _html(cashier.get("/till/sales/"))
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    second = _html(cashier.get(f"/till/sales/{older[1].replace('&amp;', '&')}"))

    assert (page.count("/return/"), second.count("/return/")) == (2, 1)


def test_terminals_are_set_up_changed_given_keys_and_taken_out_of_use(branch: Branch) -> None:
    key = IntegrationKey.objects.create(name="Tills", prefix="p", digest="d", scopes=["tills.sell"], branch=branch)
    manager = signed_in(Role.BRANCH_MANAGER, branches=[branch])
    asked = {"branch": branch.code, "code": "KLN-1", "most_amount": "5000", "offline_days": "7"}

    made = manager.post("/loyalty/terminals/new/", asked)
    taken = manager.post("/loyalty/terminals/new/", asked)
    assert made["Location"] == "/loyalty/terminals/KLN-1/"
    assert (taken.status_code, "There is a terminal with this code" in _html(taken)) == (422, True)
    assert "Tills (p…)" in _html(manager.get("/loyalty/terminals/KLN-1/"))
    manager.post("/loyalty/terminals/KLN-1/", {"name": "Door", "key": str(key.pk), "offline_days": "7"})

    terminal = Terminal.objects.get()
    assert (terminal.name, terminal.key, terminal.is_active, terminal.most_amount) == ("Door", key, False, None)
    listed = _html(manager.get("/loyalty/terminals/"))
    assert "Not in use" in listed
    assert "<strong>0</strong> terminals are in use." in listed
    stranger = signed_in(Role.BRANCH_MANAGER, username="other", branches=[make_branch("HKI", "香港店")])
    assert stranger.get("/loyalty/terminals/KLN-1/").status_code == 404


def test_vouchers_of_the_member_are_one_click_and_wrong_codes_are_counted(
    terminal: Terminal, member: Membership, milk: Product, cashier: Client
) -> None:
    voucher = make_voucher(member, now=clock.now())
    page = _html(cashier.post("/till/basket/", _with_milk(cashier, do="take", member=member.customer.number), **HX))
    chip = re.search(r'value="voucher:([^"]+)"', page)
    assert chip is not None

    page = _html(cashier.post("/till/basket/", _form(page, do=f"voucher:{chip[1]}"), **HX))
    assert "HK$28.50 less vouchers of HK$10.00" in page
    without = _html(cashier.post("/till/basket/", _form(page, do=f"unvoucher:{chip[1]}"), **HX))
    assert "less vouchers" not in without
    wrong = _html(cashier.post("/till/basket/", _form(page, do="take", voucher_typed="XXXX"), **HX))
    assert "XXXX: " in wrong
    assert _hidden(wrong, "voucher") == _hidden(page, "voucher")
    for _attempt in range(9):
        cashier.post("/till/basket/", _form(without, do="take", voucher_typed="XXXX"), **HX)
    late = _html(cashier.post("/till/basket/", _form(without, do="take", voucher_typed=voucher.code), **HX))
    assert "less vouchers" not in late
    assert not _hidden(late, "voucher")
    WrongCodes.objects.all().delete()
    sold = cashier.post("/till/basket/", _form(page, do="sell"))["Location"]

    assert Purchase.objects.get().net_amount == Decimal("18.50")
    assert "voucher, taken off above" in _html(cashier.get(sold))


def test_large_payments_with_stored_value_need_the_secret_which_is_not_remembered(
    terminal: Terminal, member: Membership, milk: Product, branch: Branch, cashier: Client
) -> None:
    make_deposit(member, 100, branch_id=branch.pk, now=clock.now())
    page = _html(cashier.post("/till/basket/", _with_milk(cashier, do="take", member=member.customer.number), **HX))
    page = _html(cashier.post("/till/basket/", _form(page, do="fill:stored_value"), **HX))
    assert _hidden(page, "pay_stored_value") == ["28.50"]
    assert 'name="pin"' in page
    cashier.post("/till/quote/", _form(page, pin="4711"), **HX)
    assert "4711" not in str(dict(cashier.session))

    cashier.post("/till/basket/", _form(page, do="sell"))

    assert list(Purchase.objects.get().tenders.values_list("kind", flat=True)) == ["stored_value"]


@pytest.mark.parametrize("given", [{}, {"product": ["A"], "quantity": []}, {"at": "x", "client_id": "<b>"}])
def test_a_mangled_form_sells_nothing(given: dict[str, Any], terminal: Terminal, cashier: Client) -> None:
    answer = cashier.post("/till/basket/", given | {"do": "sell"})

    assert answer.status_code == 422
    assert "The basket is empty." in _html(answer)


def test_a_draft_counts_what_is_typed() -> None:
    draft = Draft(rows=[Row("A", "A", "2", "1,000.50", "10%")], pay={"card": "500", "points": ""}, given="1400")
    basket, problems = draft.basket()
    due = due_of(draft, Decimal("1800.90"))

    assert not problems
    assert (basket.items[0].unit_price, basket.items[0].discount_amount) == (Decimal("1000.50"), Decimal("200.10"))
    assert (due.cash, due.change, due.problems) == (Decimal("1300.90"), Decimal("99.10"), {})
    assert [many_of(text) for text in ("3*A", "2.5 × B C", "0*A", "3XL")] == [
        (Decimal(3), "A"), (Decimal("2.5"), "B C"), (Decimal(1), "0*A"), (Decimal(1), "3XL"),
    ]  # fmt: skip
