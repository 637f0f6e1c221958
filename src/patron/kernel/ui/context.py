"""Context processor of the shell."""

from django.http import HttpRequest

from patron.kernel.ui.shell import Shell


def shell(request: HttpRequest) -> dict[str, Shell]:
    """`shell` in every template, one per request."""
    existing = getattr(request, "_patron_shell", None)
    if not isinstance(existing, Shell):
        existing = Shell(request)
        request._patron_shell = existing  # type: ignore[attr-defined]
    return {"shell": existing}
