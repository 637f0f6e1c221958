"""Search and pages of a filled installation: p95 of server time, and how many queries each page makes.

python -m benchmarks.pages               search, customers, reports, home
python -m benchmarks.pages --analyses    the page of every analysis, for an executive and for a branch's manager
"""

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

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


def measure(client: Any, name: str, addresses: Sequence[str]) -> None:
    """Open `addresses` one after the other, after one that does not count, and print the figures."""
    from django.db import connection, reset_queries

    from benchmarks.__main__ import say

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


def signed_in(role: str) -> Any:
    """A client of somebody in `role`; a branch's manager has one branch."""
    from django.test import Client

    from patron.core.accounts.models import Branch, Staff

    staff, made = Staff.objects.get_or_create(
        username=f"bench-{role}", defaults={"name": f"Bench {role}", "role": role}
    )
    if made and role == "branch_manager":
        staff.branches.add(Branch.objects.order_by("id")[0])
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


def analyses() -> None:
    """Every analysis that has results."""
    from patron.touchpoints.workspace.analyses.registry import pages

    for role in ("executive", "branch_manager"):
        client = signed_in(role)
        for page in pages().values():
            address = f"/insight/analyses/{page.name}/"
            if client.get(address).status_code == 200:
                measure(client, f"{page.name} of the {role.replace('_', ' ')}", [address] * ROUNDS)


def workspace() -> None:
    """Search, and the pages of every day."""
    from benchmarks.__main__ import say
    from patron.core.customers.models import Customer
    from patron.core.customers.search import search_customers
    from patron.kernel.actor import SYSTEM

    samples = [
        timed(lambda text=text: search_customers(text, actor=SYSTEM)) for _ in range(ROUNDS) for text in SEARCHES
    ]
    say("customer search, p95", f"{p95(samples[len(SEARCHES) :]):,.1f} ms", "≤ 20 ms")
    client = signed_in("administrator")
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
        measure(client, name, addresses)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--analyses", action="store_true", help="the pages of the analyses")
    if parser.parse_args().analyses:
        analyses()
    else:
        workspace()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "patron.config.settings")
    os.environ.setdefault("PATRON_ALLOWED_HOSTS", "testserver,localhost")
    os.environ.setdefault("PATRON_TESTING", "1")
    django.setup()
    main()
