"""`@operation`: the one door through which anything is written.

It opens the transaction, requires an actor and an instant, checks the permission, runs the function, and writes the
audit row: all or nothing. An operation called inside another joins its transaction and is audited as well.
"""

import functools
import inspect
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import models, transaction

from patron.kernel import audit
from patron.kernel.actor import Actor
from patron.kernel.clock import require_aware
from patron.kernel.errors import PermissionRefused

P = ParamSpec("P")
R = TypeVar("R")

_PLAIN = (str, int, float, bool, type(None), Decimal, date, datetime, UUID)


def operation(*, permission: str, private: tuple[str, ...] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function the operation that needs `permission`.

    The function must take keyword-only `actor: Actor` and `now: datetime` (aware). `private` names the arguments
    whose values are personal or secret: the audit row says that they were given, not what they were.
    Raises PermissionRefused before anything is touched.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        for name in ("actor", "now"):
            parameter = signature.parameters.get(name)
            if parameter is None or parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                raise TypeError(f"operation {function.__qualname__} needs the keyword-only argument {name!r}")
        for name in private:
            if name not in signature.parameters:
                raise TypeError(f"operation {function.__qualname__} has no argument {name!r} to keep private")
        code = f"{function.__module__.removeprefix('patron.').replace('.operations', '')}.{function.__name__}"

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            actor, now = bound.arguments["actor"], bound.arguments["now"]
            if not isinstance(actor, Actor):
                raise TypeError("actor must be an Actor")
            require_aware(now)
            if not actor.can(permission):
                raise PermissionRefused(details={"permission": permission})
            with transaction.atomic():
                result = function(*args, **kwargs)
                audit.record(
                    actor=actor,
                    now=now,
                    operation=code,
                    subject=_subject_of(result, bound.arguments),
                    facts=_facts_of(bound.arguments, private),
                )
            return result

        run.operation = code  # type: ignore[attr-defined]
        run.permission = permission  # type: ignore[attr-defined]
        return run

    return decorate


def inside_operation(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a write that only happens as part of an operation, such as telling the activity log of it.

    It has no permission and no audit row of its own: those are the operation's. Outside a transaction it raises
    TransactionManagementError, so that half a change can never be written.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if not transaction.get_connection().in_atomic_block:
            raise transaction.TransactionManagementError(f"{function.__qualname__} runs inside an operation")
        return function(*args, **kwargs)

    run.operation = f"{function.__module__.removeprefix('patron.')}.{function.__name__}"  # type: ignore[attr-defined]
    return run


def _subject_of(result: object, arguments: dict[str, Any]) -> str:
    """What the operation was about: the row it returned, else the first row it was given."""
    for candidate in (result, *arguments.values()):
        if isinstance(candidate, models.Model):
            return f"{candidate._meta.label_lower}:{candidate.pk}"
    return ""


def _facts_of(arguments: dict[str, Any], private: tuple[str, ...]) -> dict[str, object]:
    facts: dict[str, object] = {}
    for name, value in arguments.items():
        if name in ("actor", "now"):
            continue
        if name in private:
            facts[name] = "(private)" if value else None
        elif isinstance(value, models.Model):
            facts[name] = f"{value._meta.label_lower}:{value.pk}"
        elif isinstance(value, _PLAIN):
            facts[name] = value
    return facts
