"""A loyalty programme for the benchmark's installation: one point for each whole dollar."""

import os
from datetime import UTC, datetime

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "patron.config.settings")
    django.setup()
    from patron.business.loyalty.operations import create_programme
    from patron.business.loyalty.rules.terms import Expiry, Terms
    from patron.kernel.actor import system
    from patron.kernel.clock import now

    create_programme(
        code="club",
        name="Club",
        currency="HKD",
        rules_from=datetime(2000, 1, 1, tzinfo=UTC),
        terms=Terms(expiry=Expiry(kind="month_end", n=24)),
        actor=system("benchmark"),
        now=now(),
    )
