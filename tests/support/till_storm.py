"""Eight connections doing thousands of things to a few members, each again and again until it is acknowledged.

Run as a program inside an installation of its own: `python till_storm.py OPERATIONS`. It prints `half` once half of the
work is acknowledged, survives a database that dies meanwhile, and ends with one line of JSON: what is wrong, if any.
"""

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "patron.config.settings")
django.setup()

from django.db import Error as DatabaseError  # noqa: E402
from django.db import connection  # noqa: E402

from patron.business.loyalty.errors import InsufficientPoints  # noqa: E402
from patron.business.loyalty.models import LedgerTransaction, Membership  # noqa: E402
from patron.business.loyalty.operations import adjust_points, spend_points, transfer_points  # noqa: E402
from patron.business.loyalty.queries import check_ledger  # noqa: E402
from patron.business.loyalty.testing import make_member, make_programme  # noqa: E402
from patron.business.purchases.models import Purchase  # noqa: E402
from patron.business.purchases.rules import ReturnedLine  # noqa: E402
from patron.business.tills.baskets import BasketItem, TillBasket  # noqa: E402
from patron.business.tills.models import TillEntry  # noqa: E402
from patron.business.tills.operations import commit_sale, return_goods  # noqa: E402
from patron.business.tills.testing import make_terminal  # noqa: E402
from patron.core.customers.models import Customer  # noqa: E402
from patron.kernel import clock  # noqa: E402
from patron.kernel.actor import SYSTEM  # noqa: E402

CONNECTIONS, MEMBERS = 8, 20
NOW = clock.now()


def prepare() -> tuple[list[Membership], Any, list[str]]:
    """Twenty members with a card each and a terminal."""
    programme = make_programme("storm", terms={"tiers": {"measure": "spend", "ladder": [
        {"code": "gold", "name": "Gold", "threshold": "2000", "multiplier": "2"}]}})  # fmt: skip
    members = []
    for number in range(MEMBERS):
        customer = Customer.objects.create(number=f"S{number:03}", name=f"Member {number}")
        members.append(make_member(programme, customer=customer))
    cards = [member.cards.get().number for member in members]
    for number, member in enumerate(members):
        adjust_points(member, Decimal(100), reason="Start", request_key=f"start {number}", actor=SYSTEM, now=NOW)
    return members, make_terminal(), cards


def work(count: int, members: list[Membership], terminal: Any, cards: list[str]) -> list[tuple[str, Callable[[], Any]]]:
    """What is to be done, each under a key of its own; every tenth request is there twice."""
    chance = random.Random(20)
    jobs: list[tuple[str, Callable[[], Any]]] = []
    for number in range(count):
        one, other = chance.sample(range(MEMBERS), 2)
        key, kind, amount = f"job {number}", chance.random(), Decimal(chance.randint(1, 60))
        if kind < 0.5:
            basket = TillBasket(items=[BasketItem("TEA", Decimal(1), amount)], member=cards[one])

            def do(key: str = key, basket: TillBasket = basket) -> Any:
                return commit_sale(terminal, key, basket=basket, payments=(), occurred_at=NOW, actor=SYSTEM, now=NOW)

            jobs.append((key, do))
            if kind < 0.1:

                def undo(key: str = key, do: Callable[[], Any] = do) -> Any:
                    do()  # the sale may still be waiting somewhere: telling it again does no harm
                    return return_goods(
                        terminal, f"back {key}", sale=key, lines=[ReturnedLine(1, Decimal(1))],
                        occurred_at=NOW + timedelta(seconds=1), actor=SYSTEM, now=NOW + timedelta(seconds=1),
                    )  # fmt: skip

                jobs.append((f"back {key}", undo))
        elif kind < 0.8:
            jobs.append((key, lambda k=key, m=members[one], a=amount: spend_points(
                m, a, request_key=k, actor=SYSTEM, now=NOW)))  # fmt: skip
        elif kind < 0.9:
            jobs.append((key, lambda k=key, m=members[one], n=members[other], a=amount: transfer_points(
                m, n, a, request_key=k, actor=SYSTEM, now=NOW)))  # fmt: skip
        else:
            jobs.append((key, lambda k=key, m=members[one], a=amount: adjust_points(
                m, a, reason="Storm", request_key=k, actor=SYSTEM, now=NOW)))  # fmt: skip
        if number % 10 == 0:
            jobs.append(jobs[-1])
    return jobs


class Storm:
    """The eight connections and what they were told."""

    def __init__(self, jobs: list[tuple[str, Callable[[], Any]]]) -> None:
        self.jobs, self.lock = jobs, threading.Lock()
        self.answers: dict[str, set[str]] = {}
        self.done = self.retries = 0

    def run(self, start: int) -> None:
        try:
            for key, do in self.jobs[start::CONNECTIONS]:
                answer = self._until_acknowledged(do)
                with self.lock:
                    self.answers.setdefault(key, set()).add(answer)
                    self.done += 1
                    if self.done == len(self.jobs) // 2:
                        sys.stdout.write("half\n")
                        sys.stdout.flush()
        finally:
            connection.close()

    def _until_acknowledged(self, do: Callable[[], Any]) -> str:
        for _attempt in range(600):
            try:
                answer = do()
            except InsufficientPoints:
                return "refused"
            except DatabaseError:
                with self.lock:
                    self.retries += 1
                connection.close()
                time.sleep(0.1)
                continue
            return str(answer.pk if isinstance(answer, LedgerTransaction) else answer["purchase"])
        raise RuntimeError("the database never came back")


def faults(storm: Storm, members: list[Membership]) -> list[str]:
    """What contradicts that every acknowledged operation is there exactly once, and nothing else."""
    found = [check.code for check in check_ledger() if not check.holds]
    done = {key for key, answers in storm.answers.items() if answers - {"refused"}}
    found += [f"two answers to {key}" for key, answers in storm.answers.items() if len(answers - {"refused"}) > 1]
    requests = LedgerTransaction.objects.filter(request_key__startswith="request:job ").exclude(
        request_key__endswith=":in"
    )
    in_ledger = Counter(key.removeprefix("request:") for key in requests.values_list("request_key", flat=True))
    at_tills = Counter(TillEntry.objects.values_list("client_id", flat=True))
    there = in_ledger + at_tills
    found += [f"{key} is there {times} times" for key, times in there.items() if times != 1]
    found += [f"{key} was acknowledged and is not there" for key in done - set(there)]
    found += [f"{key} is there and was never acknowledged" for key in set(there) - done]
    if Purchase.objects.count() != len(at_tills):
        found.append("receipts and what the tills told differ")
    for member in members:
        account = member.accounts.get(unit="points", bucket="available")
        total = sum((t.amount for t in LedgerTransaction.objects.filter(membership=member, unit="points")), Decimal(0))
        if account.balance != total or account.balance < 0:
            found.append(f"{member.pk} has {account.balance}, its movements make {total}")
    return found


def main() -> None:
    members, terminal, cards = prepare()
    jobs = work(int(sys.argv[1]), members, terminal, cards)
    connection.close()
    storm = Storm(jobs)
    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for finished in [pool.submit(storm.run, start) for start in range(CONNECTIONS)]:
            finished.result()
    took = time.perf_counter() - started
    result = {
        "faults": faults(storm, members)[:20],
        "operations": len(jobs),
        "retries": storm.retries,
        "refused": sum(answers == {"refused"} for answers in storm.answers.values()),
        "seconds": round(took, 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
