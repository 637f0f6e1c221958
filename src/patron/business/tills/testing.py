"""Builders of terminals, for the tests of this room and those above."""

from itertools import count

from patron.business.tills.models import Terminal
from patron.business.tills.operations import create_terminal
from patron.core.accounts.models import Branch, IntegrationKey
from patron.core.accounts.testing import NOW, make_branch
from patron.kernel.actor import SYSTEM

_codes = count(1)


def make_terminal(branch: Branch | None = None, *, key: IntegrationKey | None = None, **limits: object) -> Terminal:
    """A terminal of a branch, without limits unless told."""
    return create_terminal(
        branch or make_branch(),
        code=f"T{next(_codes)}",
        key=key,
        actor=SYSTEM,
        now=NOW,
        **limits,  # type: ignore[arg-type]
    )
