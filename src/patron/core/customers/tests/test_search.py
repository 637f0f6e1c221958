from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch
from patron.core.customers import operations
from patron.core.customers.models import Customer, CustomerSearch, ExternalId, Insight, InsightRun
from patron.core.customers.search import (
    TermProvider,
    complete_search_terms,
    refresh_search_terms,
    refresh_search_terms_from,
    register_term_provider,
    search_customers,
)
from patron.core.customers.search import refresh as refreshing
from patron.core.customers.search.find import CANDIDATES
from patron.core.customers.search.providers import term_providers
from patron.core.customers.search.terms import name_terms, parse, terms_of
from patron.core.customers.testing import APPLEBY, CAST, CHAN, LI, OUYANG, TAIFUNG, WANG, make_customer
from patron.kernel.errors import PermissionRefused

AGENT = actor_in(Role.SERVICE_AGENT)


@pytest.fixture
def cast(db) -> dict[str, Customer]:
    people = {character.key: make_customer(character) for character in CAST}
    ExternalId.objects.create(customer=people["chan"], source="pos", value="H-12345")
    refresh_search_terms([customer.pk for customer in people.values()])
    return people


def names(text: str, actor=AGENT) -> list[str]:
    return [found.name for found in search_customers(text, actor=actor)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("陳大文", CHAN),
        ("陈大文", CHAN),
        ("大文", CHAN),
        ("文", CHAN),
        ("chendawen", CHAN),
        ("Chen Da Wen", CHAN),
        ("chen dawen", CHAN),
        ("chendaw", CHAN),
        ("cdw", CHAN),
        ("Chan Tai Man", CHAN),
        ("tai man", CHAN),
        ("4567", CHAN),
        ("34567", CHAN),
        ("6123 4567", CHAN),
        ("+852 6123 4567", CHAN),
        ("taiman.chan@example.com", CHAN),
        ("Taiman.Chan@ex", CHAN),
        ("taiman.c", CHAN),
        ("taim", CHAN),
        ("H-12345", CHAN),
        ("h12345", None),
        ("陳 4567", CHAN),
        ("陳 5432", None),
        ("李小明", LI),
        ("xiaoming", LI),
        ("lxm", LI),
        ("138 1234 5678", LI),
        ("12345678", LI),
        ("欧阳", OUYANG),
        ("歐陽芷晴", OUYANG),
        ("ouyang", OUYANG),
        ("ozq", OUYANG),
        ("au yeung", OUYANG),
        ("泰豐", TAIFUNG),
        ("泰丰贸易", TAIFUNG),
        ("豐貿", TAIFUNG),
        ("tai fung", TAIFUNG),
        ("john app", APPLEBY),
        ("APPLEBY", APPLEBY),
        ("020 7946 0123", APPLEBY),
        ("王美玲", WANG),
        ("Wáng Měi", WANG),
        ("nobody at all", None),
        ("", None),
        ("  ' ; -- %", None),
    ],
)
def test_search_finds_who_was_meant(cast: dict[str, Customer], text: str, expected) -> None:
    assert names(text) == ([] if expected is None else [expected.name])


def test_search_by_customer_number(cast: dict[str, Customer]) -> None:
    for text in (cast["wang"].number, cast["wang"].number.lower(), cast["wang"].number[1:]):
        found = search_customers(text, actor=AGENT)
        assert [(hit.name, hit.exact) for hit in found] == [("王美玲", True)]


def test_search_ranks_exact_first_then_beginning_then_value(db) -> None:
    run = InsightRun.objects.create(model="value", as_of=NOW.date(), computed_at=NOW)
    people = {
        name: make_customer(WANG, name=name, latin_name="") for name in ("李王明", "王大", "王小", "王", "小王", "王老")
    }
    for rank, name in enumerate(("王小", "李王明", "王大"), start=1):
        Insight.objects.create(
            customer=people[name], model="value", run=run, label="A", score=Decimal(100 - rank), rank=rank,
            facts={"vip": rank == 1},
        )  # fmt: skip
    operations.archive_customer(people["王老"], actor=actor_in(Role.BRANCH_MANAGER), now=NOW)
    refresh_search_terms([customer.pk for customer in people.values()])
    found = search_customers("王", actor=AGENT)
    assert [hit.name for hit in found] == ["王", "王小", "王大", "李王明", "小王", "王老"]
    assert [hit.vip for hit in found] == [False, True, False, False, False, False]
    assert search_customers("王", actor=AGENT, limit=2) == found[:2]


def test_search_shows_bound_staff_their_own(db) -> None:
    mine, other = make_branch("A"), make_branch("B")
    make_customer(WANG, branch=mine)
    make_customer(WANG, branch=other, name="王大")
    make_customer(WANG, branch=None, name="王小")
    refresh_search_terms(Customer.objects.values_list("pk", flat=True))
    bound = actor_in(Role.CASHIER, branches=[mine])
    for text in ("王", "wang", "9876 5432", "meiling@example.com", "5432"):
        assert names(text, bound) == ["王美玲"], text
    assert sorted(names("王")) == ["王大", "王小", "王美玲"]
    assert names("王", actor_in(Role.CASHIER, branches=[])) == []


def test_search_needs_the_permission(db) -> None:
    with pytest.raises(PermissionRefused):
        search_customers("王", actor=actor_in(Role.CASHIER).__class__(kind="staff", name="x"))


def test_a_crowd_of_one_name_shows_its_best(db) -> None:
    run = InsightRun.objects.create(model="value", as_of=NOW.date(), computed_at=NOW)
    people = Customer.objects.bulk_create(
        Customer(number=f"X{number}", name="王美", family_name="王") for number in range(CANDIDATES + 50)
    )
    best = people[-1]
    Insight.objects.create(customer=best, model="value", run=run, label="A", score=1, rank=1, facts={"vip": True})
    refresh_search_terms([customer.pk for customer in people])
    found = search_customers("王", actor=AGENT, limit=5)
    assert found[0].id == best.pk
    assert len(found) == 5


@pytest.mark.parametrize("rows", [1, 20])
def test_search_asks_the_same_number_of_queries(db, django_assert_num_queries, rows: int) -> None:
    people = [make_customer(WANG) for _ in range(rows)]
    refresh_search_terms([customer.pk for customer in people])
    with django_assert_num_queries(2):
        assert len(search_customers("王", actor=AGENT)) == rows


def test_changes_are_found_at_once(cast: dict[str, Customer]) -> None:
    operations.update_customer(cast["wang"], {"name": "黃美玲", "family_name": "黃"}, actor=AGENT, now=NOW)
    assert (names("黃美"), names("王美"), names("huangmei")) == (["黃美玲"], [], ["黃美玲"])
    operations.add_contact_point(cast["wang"], "phone", "5555 9999", actor=AGENT, now=NOW)
    assert names("9999") == ["黃美玲"]
    operations.update_customer(cast["wang"], {"preferences": "tea"}, actor=AGENT, now=NOW)
    assert names("9999") == ["黃美玲"]


def test_codes_of_higher_rooms_find_too(cast: dict[str, Customer]) -> None:
    provider = TermProvider(
        "test cards",
        select=f"SELECT {cast['li'].pk}::bigint, '8800-1234-5678X' WHERE {cast['li'].pk} {{customers}}",
        find=f"SELECT {cast['li'].pk}::bigint AS customer_id WHERE %(code)s = '880012345678x'",
    )
    register_term_provider(provider)
    try:
        refresh_search_terms([cast["li"].pk])
        assert (names("8800 1234 5678 X"), names("880012345678x")) == (["李小明"], ["李小明"])
        assert CustomerSearch.objects.get(pk=cast["li"].pk).terms[-1] == "~678x"
    finally:
        del term_providers._items["test cards"]
    with pytest.raises(ValueError, match="needs the marker"):
        register_term_provider(TermProvider("bad", select="SELECT 1", find="SELECT 1"))


def test_many_at_once_are_found_after_completing(cast: dict[str, Customer], monkeypatch) -> None:
    monkeypatch.setattr(refreshing, "MANY", 3)
    monkeypatch.setattr(refreshing, "FEW", 3)
    assert refresh_search_terms_from("SELECT id FROM customers_customer") == len(CAST)
    assert names("王美玲") == []
    assert complete_search_terms() == len(CAST)
    assert names("王美玲") == ["王美玲"]
    assert complete_search_terms() == 0
    assert refresh_search_terms(customer.pk for customer in cast.values()) == len(CAST)
    assert names("cdw") == ["陳大文"]


def test_words_that_mean_something_to_the_database_are_only_words(db) -> None:
    null = make_customer(WANG, name="Null", family_name="", latin_name='{"a",b}\\')
    refresh_search_terms([null.pk])
    complete_search_terms()
    assert names("null") == ["Null"]
    assert names('{"a",b') == ["Null"]
    assert names('{"c') == []


def test_terms_of_a_chinese_name() -> None:
    assert terms_of(name="陳大文", family_name="陳", latin_name="Chan", branch_id=3, tails=["+85261234567"]) == [
        "陈", "大", "文", "大文", "daw", "dawe", "dawen", "陈大", "ch", "che", "chen", "chend", "chenda", "chendawe",
        "chendawen", "cd", "cdw", "cha", "chan", "~4567", "#3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "reading"),
    [("單小明", "shanxiaoming"), ("曾子", "zengzi"), ("區文", "ouwen"), ("仇英", "qiuying"), ("尉遲恭", "yuchigong"),
     ("呂布", "lvbu"), ("呂布", "lubu"), ("長孫無忌", "zhangsunwuji")],
)  # fmt: skip
def test_family_names_are_read_as_names(name: str, reading: str) -> None:
    assert reading in name_terms(name, "")


NAME = st.text(st.sampled_from("陳王李大文美玲小明歐陽abcdeXYZé -·"), min_size=1, max_size=12)


@given(NAME, st.integers(0, 11), st.integers(1, 12))
def test_any_part_of_a_chinese_name_is_among_its_terms(name: str, start: int, length: int) -> None:
    part = name[start : start + length].strip()
    chinese = "".join(letter for letter in part if letter > "\u3400")
    if not part or chinese != part:
        return
    terms = terms_of(name=name)
    assert all(set(words.all_of) <= set(terms) for words in parse(part).names)


@given(st.text(max_size=60))
def test_whatever_is_typed_means_something_or_nothing(text: str) -> None:
    query = parse(text)
    for words in query.names:
        assert words.all_of
        assert all(words.all_of)


@given(st.from_regex(r"[a-z]{2,14}", fullmatch=True), st.integers(2, 14))
def test_every_beginning_of_a_first_word_finds_it(word: str, length: int) -> None:
    terms = set(terms_of(name=word))
    (words,) = parse(word[:length]).names
    assert set(words.all_of) <= terms
    assert all(any(term.startswith(start) for term in terms) for start in words.starts)
