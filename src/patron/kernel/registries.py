"""Registries: a thing is added by declaring it in its own room; start-up finds and checks it.

Rooms declare in conventionally named modules (`permissions.py`, `exports.py`, `imports.py`, `navigation.py`,
`jobs.py`, `health.py`); `patron.kernel.apps` imports these once Django is ready, and system checks report what does not
hold.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.utils.functional import Promise

T = TypeVar("T")

DECLARING_MODULES = ("permissions", "exports", "imports", "navigation", "jobs", "handlers", "health")


class Registry(Generic[T]):
    """Named items, in order of registration. A name is taken once: a second one is an error, not a replacement."""

    def __init__(self, kind: str, *, name: Callable[[T], str]) -> None:
        self.kind = kind
        self._name = name
        self._items: dict[str, T] = {}

    def register(self, item: T) -> T:
        name = self._name(item)
        if self._items.get(name, item) != item:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._items[name] = item
        return item

    def get(self, name: str) -> T:
        """The item called `name`. Raises LookupError that lists what there is."""
        try:
            return self._items[name]
        except KeyError:
            raise LookupError(
                f"no {self.kind} {name!r}; there are: {', '.join(sorted(self._items)) or 'none'}"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def names(self) -> list[str]:
        return list(self._items)


@dataclass(frozen=True, slots=True)
class Permission:
    """A thing that a role may do. `roles` are the role codes that have it from the start."""

    code: str
    label: str | Promise
    roles: frozenset[str] = field(default_factory=frozenset)
    integration_scope: bool = False


permissions: Registry[Permission] = Registry("permission", name=lambda p: p.code)


def permissions_of(role: str) -> frozenset[str]:
    """The permission codes that `role` holds."""
    return frozenset(p.code for p in permissions if role in p.roles)
