"""Builders of card designs, for the tests of this room and those above."""

from itertools import count
from typing import Any

from patron.business.cards.models import CardDesign
from patron.business.cards.operations import activate_design, create_design
from patron.business.loyalty.models import Programme
from patron.core.accounts.testing import NOW
from patron.kernel.actor import SYSTEM

_names = count(1)


def make_design(programme: Programme, *, active: bool = True, tier: str = "", **spec: Any) -> CardDesign:
    """A design, on members' cards unless told otherwise; `spec` is what differs from the standard."""
    design = create_design(programme, name=f"Design {next(_names)}", spec=spec, tier=tier, actor=SYSTEM, now=NOW)
    return activate_design(design, actor=SYSTEM, now=NOW) if active else design
