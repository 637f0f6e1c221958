"""The till over HTTP: commits a second with four clients, and p95 of commits and quotes at a hundred a second."""

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import django

CLIENTS, MEMBERS, PRODUCTS, LINES = 4, 2_000, 500, 6
SECONDS, PACE = 15, 100
TERMS = {
    "bonuses": [{"code": "tuesday", "name": "Double Tuesday", "effect": "multiply", "factor": "2", "weekdays": [2]}],
    "tiers": {
        "measure": "spend",
        "ladder": [
            {"code": "silver", "name": "Silver", "threshold": "2000", "multiplier": "1.25"},
            {"code": "gold", "name": "Gold", "threshold": "8000", "multiplier": "1.5"},
        ],
    },
    "paying": {"points": "100", "amount": "1.00"},
}


def prepare() -> tuple[str, list[str], list[str]]:
    """Members with cards, products with prices, and a terminal; returns its token, the cards and the product codes."""
    from patron.business.loyalty.models import Card, Membership
    from patron.business.loyalty.operations import create_programme, enrol
    from patron.business.loyalty.rules.terms import Terms
    from patron.business.tills.operations import create_terminal
    from patron.core.accounts.key_secrets import KeySecret
    from patron.core.accounts.keys import integration_scopes
    from patron.core.accounts.models import Branch
    from patron.core.accounts.operations.keys import create_key
    from patron.core.catalog.models import Product
    from patron.core.customers.models import Customer
    from patron.kernel import clock
    from patron.kernel.actor import SYSTEM

    now = clock.now()
    programme = create_programme(
        code="till-bench", name="Bench", currency="HKD", rules_from=datetime(2000, 1, 1, tzinfo=UTC),
        terms=Terms.read(TERMS), actor=SYSTEM, now=now,
    )  # fmt: skip
    customers = Customer.objects.bulk_create(
        Customer(number=f"TB{number:06}", name=f"Member {number}") for number in range(MEMBERS)
    )
    for customer in customers:
        enrol(customer, programme=programme, joined_on=(now - timedelta(days=400)).date(), actor=SYSTEM, now=now)
    Product.objects.bulk_create(
        Product(code=f"TB{number}", name=f"Product {number}", list_price=Decimal(5 + number % 40))
        for number in range(PRODUCTS)
    )
    branch = Branch.objects.create(code="till-bench", name="Bench")
    secret = KeySecret.new()
    key = create_key(
        name="bench", scopes=[scope.code for scope in integration_scopes()], secret=secret, branch=branch,
        rate_per_minute=60_000, actor=SYSTEM, now=now,
    )  # fmt: skip
    create_terminal(branch, code="till-bench", key=key, actor=SYSTEM, now=now)
    cards = Card.objects.filter(membership__in=Membership.objects.filter(programme=programme))
    return secret.token, list(cards.values_list("number", flat=True)), [f"TB{number}" for number in range(PRODUCTS)]


class Till:
    """A client with a connection of its own."""

    def __init__(self, port: int, token: str, cards: list[str], products: list[str], seed: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Host": "localhost"}
        self.cards, self.products, self.chance, self.seed = cards, products, random.Random(seed), seed
        self.number = 0

    def basket(self) -> dict[str, object]:
        return {
            "member": self.chance.choice(self.cards),
            "lines": [{"product": code, "quantity": 1} for code in self.chance.sample(self.products, LINES)],
        }

    def quote(self) -> None:
        self._post("/api/v1/pos/quote", self.basket())

    def commit(self) -> None:
        self.number += 1
        sale = {"client_id": f"{self.seed}-{self.number}", "occurred_at": datetime.now(UTC).isoformat()}
        self._post("/api/v1/pos/commit", self.basket() | sale)

    def _post(self, address: str, body: dict[str, object]) -> None:
        self.connection.request("POST", address, json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{address} answered {answer.status}: {said[:400]!r}")


def flat_out(tills: list[Till]) -> float:
    """Commits a second with every client sending as fast as it is answered."""
    counts = [0] * len(tills)
    until = time.perf_counter() + SECONDS

    def run(place: int) -> None:
        while time.perf_counter() < until:
            tills[place].commit()
            counts[place] += 1

    _together([lambda place=place: run(place) for place in range(len(tills))])
    return sum(counts) / SECONDS


def paced(tills: list[Till], do: Callable[[Till], None]) -> list[float]:
    """Milliseconds of requests that come evenly, `PACE` a second, whatever the answers take."""
    took: list[float] = []
    start = time.perf_counter() + 0.1
    step = len(tills) / PACE

    def run(place: int) -> None:
        for number in range(int(SECONDS / step)):
            due = start + place / PACE + number * step
            time.sleep(max(0.0, due - time.perf_counter()))
            do(tills[place])
            took.append((time.perf_counter() - due) * 1000)

    _together([lambda place=place: run(place) for place in range(len(tills))])
    return took


def _together(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def serve(port: int) -> subprocess.Popen[bytes]:
    """The web server as `patron up` starts it."""
    server = subprocess.Popen(
        [
            sys.executable, "-m", "gunicorn", "patron.config.wsgi:application", "--bind", f"127.0.0.1:{port}",
            "--worker-class", "gthread", "--workers", "2", "--threads", "4", "--log-level", "error",
            "--config", "python:patron.config.web_server", "--worker-tmp-dir", "/dev/shm", "--no-control-socket",  # noqa: S108
        ],
        env=os.environ | {"PATRON_LOG_LEVEL": "ERROR"},
    )  # fmt: skip
    for _attempt in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.2)
    raise SystemExit("the web server does not answer")


def main() -> None:
    from benchmarks.__main__ import say
    from benchmarks.pages import p95

    token, cards, products = prepare()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = serve(port)
    try:
        tills = [Till(port, token, cards, products, seed) for seed in range(CLIENTS)]
        for till in tills:
            for _warming in range(25):
                till.commit()
                till.quote()
        say(f"till commits over HTTP, {CLIENTS} clients", f"{flat_out(tills):,.0f}/s", "≥ 150/s")
        say(f"till commit at {PACE}/s, p95", f"{p95(paced(tills, Till.commit)):,.1f} ms", "≤ 40 ms")
        say(f"till quote at {PACE}/s, p95", f"{p95(paced(tills, Till.quote)):,.1f} ms", "≤ 20 ms")
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "patron.config.settings")
    django.setup()
    main()
