"""Wrong codes, told by terminal."""

from datetime import timedelta

import pytest

from patron.business.vouchers.models import WrongCodes
from patron.business.vouchers.queries.guessing import Guessing, guessing
from patron.core.accounts.testing import NOW
from patron.kernel.actor import ANONYMOUS, SYSTEM
from patron.kernel.errors import PermissionRefused

pytestmark = pytest.mark.django_db


def test_many_wrong_codes_at_one_terminal_are_told() -> None:
    later = NOW + timedelta(hours=1)
    for terminal, hour, attempts in (("T1", NOW, 12), ("T1", later, 5), ("T2", NOW, 3)):
        WrongCodes.objects.create(terminal=terminal, hour=hour, attempts=attempts)
    until = NOW + timedelta(days=1)

    assert guessing(SYSTEM, since=NOW, until=until, least=10) == [Guessing("T1", 17, 2, 12, NOW, later)]
    assert guessing(SYSTEM, since=later, until=until, least=10) == []
    with pytest.raises(PermissionRefused):
        guessing(ANONYMOUS, since=NOW, until=until, least=10)
