"""Who may open what: every route of the installation, by enumeration, for every role."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from patron.core.accounts.models import Staff
from patron.core.accounts.rules import Role
from patron.kernel.registries import permissions_of
from patron.kernel.ui.pages import PageDeclaration

TABLE = Path(__file__).parent / "route_permissions.tsv"
MACHINE_PREFIXES = ("api/v1/", "healthz", "readyz", "metrics")
"""Addresses for machines: they authenticate by key or address, not by role (see the API's own tests)."""


def _routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route, pattern


ROUTES = [
    (route, pattern)
    for route, pattern in _routes(get_resolver().url_patterns)
    if not route.startswith(MACHINE_PREFIXES) and not route.startswith("static/")
]


def _declaration(pattern: URLPattern) -> PageDeclaration | None:
    return getattr(pattern.callback, "page", None)


def _row(route: str, pattern: URLPattern) -> str:
    declaration = _declaration(pattern)
    assert declaration is not None, f"{route} does not say who may open it: decorate the view with @page"
    if declaration.public:
        return f"{route}\tpublic\teveryone"
    if declaration.permission is None:
        return f"{route}\tsigned in\tall roles"
    roles = sorted(role for role in Role if declaration.permission in permissions_of(role))
    return f"{route}\t{declaration.permission}\t{' '.join(roles)}"


def test_the_table_of_routes_and_roles_is_the_one_agreed() -> None:
    """A change of this file is a change of who may do what: read it as one.

    To renew it, delete the file and run this test twice.
    """
    rows = "route\tpermission\troles\n" + "".join(sorted(f"{_row(r, p)}\n" for r, p in ROUTES))
    if not TABLE.exists():
        TABLE.write_text(rows, encoding="utf-8")
        pytest.fail(f"{TABLE.name} was missing and has been written: read it, then run again")
    assert rows == TABLE.read_text(encoding="utf-8")


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_role_opens_exactly_the_pages_it_may(role: Role) -> None:
    client = Client()
    client.force_login(Staff.objects.create(username=role, name=role, role=role))
    wrong = []
    for route, pattern in ROUTES:
        declaration = _declaration(pattern)
        if declaration is None or declaration.public or "<" in route or not pattern.name:
            continue
        allowed = declaration.permission is None or declaration.permission in permissions_of(role)
        status = client.get(reverse(pattern.name)).status_code
        if (status == 403) == allowed:
            wrong.append(f"{route}: {status}, but {'allowed' if allowed else 'refused'} for {role}")
        assert status < 500, route
    assert wrong == []


@pytest.mark.django_db
def test_nobody_signed_in_is_sent_to_sign_in_from_every_page() -> None:
    client = Client()
    for route, pattern in ROUTES:
        declaration = _declaration(pattern)
        if declaration is None or declaration.public or "<" in route or not pattern.name:
            continue
        response = client.get(reverse(pattern.name))
        if response.status_code == 405:  # only posted to
            response = client.post(reverse(pattern.name))
        assert response.status_code == 302, route
        assert response.headers["Location"].startswith("/sign-in"), route
