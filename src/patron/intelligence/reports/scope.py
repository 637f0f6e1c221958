"""Which part of the organisation a report speaks of."""

from dataclasses import dataclass

from patron.intelligence.insights.marts.contract import ALL_BRANCHES
from patron.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Scope:
    """The whole organisation (`branch_id` None), or the customers at home in one branch."""

    branch_id: int | None = None

    @property
    def key(self) -> int:
        """The scope as the marts write it."""
        return ALL_BRANCHES if self.branch_id is None else self.branch_id

    def condition(self, column: str = "branch_id") -> str:
        """An SQL condition on a mart of customers or moves, which has a row per home branch and none for all."""
        return "true" if self.branch_id is None else f"{column} = {int(self.branch_id)}"


def scope_for(actor: Actor, chosen: int | None) -> Scope:
    """The branch chosen in the top bar, where the actor may see it.

    Someone bound to branches who chose none (or another's) sees the first of their own; bound to none, nothing at
    all: branch −1 exists nowhere.
    """
    if actor.branch_ids is None:
        return Scope(chosen)
    if chosen in actor.branch_ids:
        return Scope(chosen)
    return Scope(min(actor.branch_ids, default=-1))
