"""The customer's story, told upwards: this room says what happened, the activity log (a room above) writes it down.

Customers stand below the log, because every activity names a customer; so the log registers itself here as a listener.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from patron.kernel.actor import Actor
from patron.kernel.registries import Registry


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened with one customer. `facts` are numbers and codes, never personal data."""

    customer_id: int
    kind: str
    occurred_at: datetime
    channel: str = ""
    branch_id: int | None = None
    source: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


class TellMany(Protocol):
    """Takes a SELECT of events (columns as the fields of Event) and its parameters."""

    def __call__(
        self, select_sql: str, params: Sequence[Any] | Mapping[str, Any], *, actor: Actor, now: datetime
    ) -> object: ...


@dataclass(frozen=True, slots=True)
class Listener:
    """One who writes the story down, inside the transaction of the change."""

    name: str
    on_event: Callable[[Event, Actor, datetime], object]
    on_events: TellMany


listeners: Registry[Listener] = Registry("listener to customers' stories", name=lambda listener: listener.name)


def tell(event: Event, *, actor: Actor, now: datetime) -> None:
    """Tell every listener of one event."""
    for listener in listeners:
        listener.on_event(event, actor, now)


def tell_from(select_sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, actor: Actor, now: datetime) -> None:
    """Tell every listener of the events that `select_sql` finds, set-based."""
    for listener in listeners:
        listener.on_events(select_sql, params, actor=actor, now=now)
