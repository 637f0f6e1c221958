"""System checks over the registries: what is declared must hold together before the first request."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from patron.kernel.registries import permissions


@register
def check_permissions(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Each permission has a dotted code, a label and at least one role that holds it."""
    return [
        Error(
            f"permission {permission.code!r} is not complete",
            hint="Give it a code of the form room.verb and the roles that hold it.",
            id="patron.E001",
        )
        for permission in permissions
        if "." not in permission.code or not permission.roles
    ]
