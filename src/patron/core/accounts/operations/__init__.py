"""Writes of staff, branches, teams and integration keys."""

from patron.core.accounts.operations.branches import BranchDetails, create_branch, save_team, update_branch
from patron.core.accounts.operations.staff import (
    change_own_password,
    change_role,
    create_staff,
    deactivate_staff,
    reactivate_staff,
    set_password,
    set_preferences,
    update_staff,
)

__all__ = [
    "BranchDetails",
    "change_own_password",
    "change_role",
    "create_branch",
    "create_staff",
    "deactivate_staff",
    "reactivate_staff",
    "save_team",
    "set_password",
    "set_preferences",
    "update_branch",
    "update_staff",
]
