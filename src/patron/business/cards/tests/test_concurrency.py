"""Tills, phones and the sweep rewrite the same faces at the same moment: each change counts once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from patron.business.cards.models import CardFace, FaceChange
from patron.business.cards.operations import refresh_face, refresh_faces
from patron.business.cards.queries import current_cards
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.testing import NOW
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db(transaction=True)
CONNECTIONS = 8


def _at_once(work: list[Callable[[], object]]) -> None:
    barrier = Barrier(len(work))

    def run(do: Callable[[], object]) -> None:
        try:
            barrier.wait()
            do()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        list(pool.map(run, work))


def test_a_change_that_many_notice_is_written_once() -> None:
    programme = make_programme()
    members = [make_member(programme) for _ in range(6)]
    cards = [member.cards.get().pk for member in members]
    refresh_faces(cards, actor=SYSTEM, now=NOW)
    for member in members:
        make_purchase(member.customer, occurred_at=NOW)

    def till(position: int) -> None:
        with transaction.atomic():
            refresh_face(members[position % len(members)], actor=SYSTEM, now=NOW)

    sweeps = [
        lambda: refresh_faces(cards, actor=SYSTEM, now=NOW),
        lambda: refresh_faces(cards[::-1], actor=SYSTEM, now=NOW),
    ]
    tills = [lambda position=position: till(position) for position in range(CONNECTIONS - len(sweeps))]
    _at_once([*sweeps, *tills])

    assert list(CardFace.objects.values_list("version", flat=True)) == [2] * len(members)
    assert FaceChange.objects.count() == 2 * len(members)
    assert all(card.is_kept for card in current_cards([member.pk for member in members], now=NOW))
