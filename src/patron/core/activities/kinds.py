"""Kinds of activity: what a row of the log may tell of, and how it is shown.

A room registers the kinds it logs in its `handlers.py`:
`kinds.register(ActivityKind("purchase.completed", _("Purchase"), icon="shopping-cart", topic="purchases"))`.
"""

from dataclasses import dataclass

from django.utils.functional import Promise

from patron.kernel.registries import Registry


@dataclass(frozen=True, slots=True)
class ActivityKind:
    """`code` is dotted (`room.what`); `icon` names a Tabler icon; `topic` is the timeline filter it falls under."""

    code: str
    label: str | Promise
    icon: str
    topic: str


kinds: Registry[ActivityKind] = Registry("activity kind", name=lambda kind: kind.code)
