"""Errors that a user can act on. Pages and the API show the same words."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A refusal with a stable code, an HTTP status and a message that says what to do.

    Subclasses set the class attributes; `message` may be overridden per instance. `details` carries
    machine-readable facts (field names, row numbers) and must not hold personal data.
    """

    code: str = "domain_error"
    status: int = 400
    message: str | Promise = _("This cannot be done.")

    def __init__(self, message: str | Promise | None = None, *, details: Mapping[str, object] | None = None) -> None:
        if message is not None:
            self.message = message
        self.details: dict[str, object] = dict(details or {})
        super().__init__(str(self.message))

    def __str__(self) -> str:
        return str(self.message)


class PermissionRefused(DomainError):
    """The actor's role does not include the permission that the operation needs."""

    code = "permission_refused"
    status = 403
    message = _("Your role does not allow this. Ask an administrator if you need it.")


class NotFound(DomainError):
    """The thing does not exist, or the actor may not see it: the two are not told apart."""

    code = "not_found"
    status = 404
    message = _("Nothing was found here. It may have been removed, or belong to another branch.")


class InvalidInput(DomainError):
    """Input that fails a rule. `details` names the field."""

    code = "invalid_input"
    status = 422
    message = _("Some of the input is not valid.")


class Conflict(DomainError):
    """The request contradicts what is already recorded."""

    code = "conflict"
    status = 409
    message = _("This contradicts what is already recorded.")


class Unavailable(DomainError):
    """A part the request needs is not ready; trying again later is safe."""

    code = "unavailable"
    status = 503
    message = _("A part of the system is not ready. Try again in a moment.")
