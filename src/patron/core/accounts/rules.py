"""Roles and what they mean for whom one sees. No Django."""

from enum import StrEnum


class Role(StrEnum):
    """The jobs that people do. What each may do is declared by the rooms, permission by permission."""

    ADMINISTRATOR = "administrator"
    EXECUTIVE = "executive"
    MARKETER = "marketer"
    ANALYST = "analyst"
    BRANCH_MANAGER = "branch_manager"
    CASHIER = "cashier"
    SALES_REP = "sales_rep"
    SERVICE_AGENT = "service_agent"


ALL_ROLES = frozenset(str(role) for role in Role)

BRANCH_BOUND_ROLES = frozenset({str(Role.BRANCH_MANAGER), str(Role.CASHIER), str(Role.SALES_REP)})
"""Roles that see the rows of their own branches only."""


def roles(*members: Role) -> frozenset[str]:
    """Role codes for a permission: those named, and the administrator always."""
    return frozenset({str(Role.ADMINISTRATOR), *(str(member) for member in members)})
