"""Search and pages of a filled installation: p95 of server time, and how many queries each page makes."""

import os
import random
import time
from collections.abc import Callable, Sequence

import django

SEARCHES = ("王", "陳", "陳志", "wang", "chen zhi", "czm", "6123", "C0000042", "林美玲", "李家豪", "zhang", "明")
ROUNDS = 40


def p95(samples: Sequence[float]) -> float:
    """The sample that 95 % of the others do not exceed."""
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * 0.95))]


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def main() -> None:
    from django.db import connection, reset_queries
    from django.test import Client

    from benchmarks.__main__ import say
    from patron.core.accounts.models import Staff
    from patron.core.customers.models import Customer
    from patron.core.customers.search import search_customers
    from patron.kernel.actor import SYSTEM

    samples = [
        timed(lambda text=text: search_customers(text, actor=SYSTEM)) for _ in range(ROUNDS) for text in SEARCHES
    ]
    say("customer search, p95", f"{p95(samples[len(SEARCHES) :]):,.1f} ms", "≤ 20 ms")
    staff = Staff.objects.create(username="bench", name="Bench", role="administrator")
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    highest = Customer.objects.order_by("-id").values_list("id", flat=True)[0]
    chance = random.Random(1)
    numbers = list(
        Customer.objects.filter(id__in=[chance.randrange(1, highest) for _ in range(ROUNDS * 2)]).values_list(
            "number", flat=True
        )
    )
    for name, addresses in (
        ("customer list", ["/customers/"] * ROUNDS),
        ("customer 360", [f"/customers/{number}/" for number in numbers[:ROUNDS]]),
        ("VIP report", ["/insight/vips/"] * ROUNDS),
        ("customer inventory", ["/insight/inventory/"] * ROUNDS),
        ("home", ["/"] * ROUNDS),
    ):
        counts = set()
        samples = []
        client.get(addresses[0])
        connection.force_debug_cursor = True
        for address in addresses:
            reset_queries()
            samples.append(timed(lambda address=address: client.get(address)))
            counts.add(len(connection.queries))
        connection.force_debug_cursor = False
        queries = f"{min(counts)}–{max(counts)}" if len(counts) > 1 else f"{counts.pop()}"
        say(f"{name}, p95 ({queries} queries)", f"{p95(samples):,.0f} ms", "≤ 150 ms")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "patron.config.settings")
    os.environ.setdefault("PATRON_ALLOWED_HOSTS", "testserver,localhost")
    os.environ.setdefault("PATRON_TESTING", "1")
    django.setup()
    main()
