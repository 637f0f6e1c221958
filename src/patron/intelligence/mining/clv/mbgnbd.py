"""MBG/NBD: as BG/NBD, but a customer may also stop right after the first purchase.

E. P. Batislam, M. Denizel & A. Filiztekin (2007), "Empirical validation and comparison of models for customer base
analysis", International Journal of Research in Marketing 24(3), 201-209 (there also found by H. Hoppe and U. Wagner,
2007, as CBG/NBD). BG/NBD holds every one-time buyer to be alive for ever; here P(alive) of one-time buyers falls with
time. All formulas: ``bgnbd.py`` with y = x + 1.
"""

from __future__ import annotations

from typing import Final

from patron.intelligence.mining.clv.bgnbd import BgNbd

MBG_NBD: Final = BgNbd(name="mbgnbd", chances=1)
