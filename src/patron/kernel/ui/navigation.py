"""What the left navigation and the top bar offer. Rooms register items in their own `navigation.py`.

register(NavItem(area=Area.CUSTOMERS, label=_("VIPs"), url_name="workspace:vips", permission="insights.view",
                 icon="crown", order=20))
register_link("search", "workspace:search")
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error
from django.core.checks import register as register_check
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.kernel.actor import Actor
from patron.kernel.registries import Registry, permissions


class Area(Enum):
    """The work people do, in the order in which the navigation shows it."""

    HOME = ("home", _("Home"), "home")
    CUSTOMERS = ("customers", _("Customers"), "users")
    LOYALTY = ("loyalty", _("Loyalty"), "award")
    SALES = ("sales", _("Sales"), "briefcase")
    MARKETING = ("marketing", _("Marketing"), "speakerphone")
    SERVICE = ("service", _("Service"), "headset")
    INSIGHT = ("insight", _("Insight"), "chart-bar")
    SETTINGS = ("settings", _("Settings"), "settings")

    def __init__(self, key: str, label: str, icon: str) -> None:
        self.key, self.label, self.icon = key, label, icon


@dataclass(frozen=True, slots=True)
class NavItem:
    """One page in the navigation. `permission` None means every signed-in member of staff.

    `on_phone` gives it a place of its own in the bottom bar of a phone; there is room for two.
    """

    area: Area
    label: str | Promise
    url_name: str
    permission: str | None = None
    order: int = 100
    icon: str = "point"
    on_phone: bool = False


LinkRole = Literal["home", "search", "search_suggest", "sign_in", "sign_out", "profile"]


@dataclass(frozen=True, slots=True)
class Link:
    """A place that the shell itself points at. `sign_out` is posted to; `search` takes `?q=`."""

    role: LinkRole
    url_name: str


items: Registry[NavItem] = Registry("navigation item", name=lambda item: item.url_name)
links: Registry[Link] = Registry("shell link", name=lambda link: link.role)


def register(item: NavItem) -> NavItem:
    """Add a page to the navigation. Raises ValueError when the same page is there already."""
    return items.register(item)


def register_link(role: LinkRole, url_name: str) -> Link:
    """Say which page plays `role` in the shell. Raises ValueError when another page already does."""
    return links.register(Link(role, url_name))


def link_url(role: LinkRole) -> str:
    """The address of the page that plays `role`, or an empty string while no room provides one."""
    return reverse(links.get(role).url_name) if role in links else ""


@dataclass(frozen=True, slots=True)
class ShownItem:
    """A navigation entry as one page shows it."""

    label: str
    url: str
    icon: str
    current: bool
    on_phone: bool = False


@dataclass(frozen=True, slots=True)
class ShownArea:
    """A work area with the entries that the actor may open; its own link is the first of them."""

    key: str
    label: str
    icon: str
    url: str
    current: bool
    items: tuple[ShownItem, ...]


def _current(permitted: Sequence[tuple[NavItem, str]], *, path: str, url_name: str) -> NavItem | None:
    """The item the page belongs to: the one named, else the one whose address is the longest start of the path."""
    for item, _url in permitted:
        if item.url_name == url_name:
            return item
    below = [(len(url), item) for item, url in permitted if path == url or (url != "/" and path.startswith(url))]
    return max(below, key=lambda pair: pair[0])[1] if below else None


def areas_for(
    actor: Actor, *, path: str, url_name: str = "", registered: Iterable[NavItem] | None = None
) -> list[ShownArea]:
    """The areas with at least one page that `actor` may open, marking where `path` (or `url_name`) is."""
    permitted = [
        (item, reverse(item.url_name))
        for item in sorted(items if registered is None else registered, key=lambda i: (i.order, i.url_name))
        if item.permission is None or actor.can(item.permission)
    ]
    current = _current(permitted, path=path, url_name=url_name)
    shown = []
    for area in Area:
        pages = tuple(
            ShownItem(str(item.label), url, item.icon, item is current, item.on_phone)
            for item, url in permitted
            if item.area is area
        )
        if pages:
            shown.append(
                ShownArea(area.key, str(area.label), area.icon, pages[0].url, any(p.current for p in pages), pages)
            )
    return shown


@register_check
def check_navigation(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Every navigation entry and shell link has an address, and asks for a permission that exists."""
    messages: list[CheckMessage] = []
    for name in [item.url_name for item in items] + [link.url_name for link in links]:
        try:
            reverse(name)
        except NoReverseMatch:
            messages.append(
                Error(
                    f"the navigation points at {name!r}, which has no address",
                    hint="Add the page to the room's urls.py, or remove the entry from its navigation.py.",
                    id="patron.ui.E002",
                )
            )
    messages += [
        Error(
            f"the navigation entry {item.url_name!r} needs the unknown permission {item.permission!r}",
            hint="Register the permission in the room's permissions.py.",
            id="patron.ui.E003",
        )
        for item in items
        if item.permission is not None and item.permission not in permissions
    ]
    return messages
