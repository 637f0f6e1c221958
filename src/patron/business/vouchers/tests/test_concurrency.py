"""Eight tills at the same moment, over connections of their own: a voucher is used once, and no limit is passed."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier

import pytest
from django.db import connection

from patron.business.loyalty.models import Membership
from patron.business.loyalty.operations import adjust_points
from patron.business.loyalty.queries import points_balance
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.vouchers import errors
from patron.business.vouchers.models import Voucher, VoucherDefinition, VoucherHold, VoucherUse
from patron.business.vouchers.operations import (
    Issue,
    Limits,
    buy_voucher,
    commit_vouchers,
    drop_ended_holds,
    expire_vouchers,
    issue_vouchers,
    release_vouchers,
    reserve_vouchers,
    undo_vouchers,
    use_vouchers,
)
from patron.business.vouchers.queries import check_vouchers
from patron.business.vouchers.testing import (
    CASH,
    PLAIN_MEMBER,
    TEN_OFF,
    make_basket,
    make_code,
    make_definition,
    make_voucher,
)
from patron.core.accounts.testing import NOW
from patron.core.customers.testing import CAST
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import today
from patron.kernel.errors import DomainError

pytestmark = pytest.mark.django_db(transaction=True)
CONNECTIONS = 8


def _at_once(work: list[Callable[[], object]]) -> list[object]:
    """Run the work on eight threads that start together, and give every outcome: the result or the refusal."""
    barrier = Barrier(CONNECTIONS)

    def run(mine: list[tuple[int, Callable[[], object]]]) -> list[tuple[int, object]]:
        barrier.wait()
        outcomes: list[tuple[int, object]] = []
        try:
            for place, do in mine:
                try:
                    outcomes.append((place, do()))
                except DomainError as refusal:
                    outcomes.append((place, refusal))
        finally:
            connection.close()
        return outcomes

    numbered = list(enumerate(work))
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        parts = pool.map(run, [numbered[start::CONNECTIONS] for start in range(CONNECTIONS)])
        return [outcome for _, outcome in sorted((pair for part in parts for pair in part), key=lambda pair: pair[0])]


def _use(voucher: Voucher, key: str, member: Membership | None = None) -> Callable[[], object]:
    return lambda: use_vouchers(
        [voucher.code],
        request_key=key,
        basket=make_basket(),
        membership=member,
        member=PLAIN_MEMBER if member else None,
        terminal=key,
        actor=SYSTEM,
        now=NOW,
    )


def _reserve(voucher: Voucher, key: str) -> Callable[[], object]:
    return lambda: reserve_vouchers(
        [voucher.code],
        request_key=key,
        basket=make_basket(),
        membership=None,
        member=None,
        until=NOW + timedelta(minutes=5),
        actor=SYSTEM,
        now=NOW,
    )


def _use_both(vouchers: list[Voucher], key: str) -> Callable[[], object]:
    return lambda: use_vouchers(
        [voucher.code for voucher in vouchers],
        request_key=key,
        basket=make_basket(),
        membership=None,
        member=None,
        terminal="T1",
        actor=SYSTEM,
        now=NOW,
    )


def _codes(outcomes: list[object]) -> list[str]:
    return sorted(outcome.code if isinstance(outcome, DomainError) else "ok" for outcome in outcomes)


def test_one_code_at_eight_tills_is_used_once_and_the_others_are_told() -> None:
    voucher = make_code()
    outcomes = _at_once([_use(voucher, f"till {n}") for n in range(CONNECTIONS)])
    assert _codes(outcomes) == ["ok", *["voucher_used"] * 7]
    assert VoucherUse.objects.count() == 1


def test_one_code_reserved_at_eight_tills_is_kept_for_one() -> None:
    voucher = make_code()
    outcomes = _at_once([_reserve(voucher, f"till {n}") for n in range(CONNECTIONS)])
    assert _codes(outcomes) == ["ok", *["voucher_in_use"] * 7]
    assert VoucherHold.objects.count() == 1


def test_the_same_request_eight_times_gives_one_answer() -> None:
    voucher = make_code()
    outcomes = _at_once([_use(voucher, "k")] * CONNECTIONS)
    assert outcomes == [outcomes[0]] * CONNECTIONS
    assert VoucherUse.objects.count() == 1


def test_one_key_for_two_codes_counts_for_one() -> None:
    vouchers = [make_code(), make_code()]
    outcomes = _at_once([_use(vouchers[n % 2], "k") for n in range(CONNECTIONS)])
    assert set(_codes(outcomes)) == {"ok", "request_key_reused"}
    assert VoucherUse.objects.count() == 1


def test_a_word_with_five_uses_is_used_five_times() -> None:
    word = make_code(make_definition({**TEN_OFF, "uses": 5}))
    outcomes = _at_once([_use(word, f"till {n}") for n in range(CONNECTIONS)])
    assert _codes(outcomes) == [*["ok"] * 5, *["voucher_used"] * 3]


def test_a_budget_is_never_passed() -> None:
    definition = make_definition(limits=Limits(budget=Decimal(35)))
    vouchers = [make_code(definition) for _ in range(CONNECTIONS)]
    outcomes = _at_once([_use(voucher, voucher.code) for voucher in vouchers])
    assert _codes(outcomes) == [*["ok"] * 3, *["voucher_limit_reached"] * 5]
    assert VoucherDefinition.objects.get().spent == 30


def test_a_member_with_a_limit_uses_one_of_eight_vouchers() -> None:
    member, definition = make_member(), make_definition({**TEN_OFF, "member_limit": 1})
    vouchers = [make_voucher(member, definition) for _ in range(CONNECTIONS)]
    outcomes = _at_once([_use(voucher, voucher.code, member) for voucher in vouchers])
    assert _codes(outcomes) == ["ok", *["voucher_limit_reached"] * 7]


def test_a_stock_of_five_gives_five_and_an_occasion_one_each() -> None:
    programme = make_programme()
    members = [make_member(programme, character=CAST[n % 6]) for n in range(CONNECTIONS)]
    definition = make_definition(limits=Limits(stock=5))

    def issue(ids: list[int], occasion: str) -> Callable[[], object]:
        return lambda: issue_vouchers(definition, ids, occasion=occasion, actor=SYSTEM, now=NOW)

    once = _at_once([issue([members[0].pk], "same")] * CONNECTIONS)
    assert sorted(once, key=str) == [*[0] * 7, 1]
    outcomes = _at_once([issue([member.pk], "each") for member in members])
    assert _codes(outcomes) == [*["ok"] * 4, *["voucher_none_left"] * 4]
    assert Voucher.objects.count() == VoucherDefinition.objects.get().issued == 5


def test_points_buy_one_voucher_at_eight_tills() -> None:
    member = make_member()
    definition = make_definition(issue=Issue(on="points", points_price=Decimal(80)))
    adjust_points(member, Decimal(100), reason="Test", request_key="a", actor=SYSTEM, now=NOW)
    outcomes = _at_once(
        [partial(buy_voucher, definition, member, request_key=f"k{n}", actor=SYSTEM, now=NOW) for n in range(8)]
    )
    assert _codes(outcomes) == [*["insufficient_points"] * 7, "ok"]
    assert (Voucher.objects.count(), points_balance(member, now=NOW).available) == (1, Decimal(20))


def test_everything_at_once_adds_up() -> None:
    chance = random.Random(8)
    cash, ten = make_definition(CASH, limits=Limits(budget=Decimal(500))), make_definition({**TEN_OFF, "uses": 3})
    vouchers = [make_code(chance.choice([cash, ten])) for _ in range(8)]
    requests: list[Callable[[], object]] = []
    for number in range(60):
        pair, some = chance.sample(vouchers, 2), chance.randrange(60)
        requests += [
            _use_both(pair, f"r{number}"),
            _reserve(pair[0], f"h{number}"),
            partial(commit_vouchers, request_key=f"h{some}", actor=SYSTEM, now=NOW),
            partial(release_vouchers, request_key=f"h{60 - some}", actor=SYSTEM, now=NOW),
            partial(undo_vouchers, request_key=f"r{some}", actor=SYSTEM, now=NOW),
        ]
    requests += [lambda: drop_ended_holds(actor=SYSTEM, now=NOW + timedelta(minutes=6))] * 5
    requests += [lambda: expire_vouchers(as_of=today(NOW), actor=SYSTEM, now=NOW)] * 5
    twice = requests * 2
    chance.shuffle(twice)

    outcomes = _at_once(twice)

    assert "ok" in _codes(outcomes)
    assert [check.code for check in check_vouchers() if not check.holds] == []
    assert VoucherDefinition.objects.get(pk=cash.pk).spent <= 500
    assert not any(isinstance(outcome, errors.NoSuchVoucher) for outcome in outcomes)
