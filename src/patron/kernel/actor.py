"""Who acts: a member of staff, an integration, or the system itself."""

from dataclasses import dataclass, field
from typing import Literal

ActorKind = Literal["staff", "integration", "system", "anonymous"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The one on whose behalf an operation or query runs.

    `permissions` are registered permission codes; `branch_ids` is None for an actor who sees the whole
    organisation, otherwise the branches whose rows the actor may see.
    """

    kind: ActorKind
    name: str
    id: int | None = None
    role: str = ""
    permissions: frozenset[str] = field(default_factory=frozenset)
    branch_ids: frozenset[int] | None = None

    def can(self, code: str) -> bool:
        """Whether the actor holds permission `code`; the system holds all."""
        return self.kind == "system" or code in self.permissions

    @property
    def reference(self) -> str:
        """How the actor is written into audit and activity rows, for example `staff:12`."""
        return self.kind if self.id is None else f"{self.kind}:{self.id}"


SYSTEM = Actor(kind="system", name="Patron")
ANONYMOUS = Actor(kind="anonymous", name="")


def system(name: str) -> Actor:
    """The system acting as a named job or command, for example `system("import")`."""
    return Actor(kind="system", name=name)
