"""The frame around every page: who is signed in, where they are, which branch, theme and language they chose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from patron.kernel.actor import ANONYMOUS, Actor
from patron.kernel.ui import navigation

THEME_COOKIE = "patron_theme"
BRANCH_COOKIE = "patron_branch"
THEMES = ("light", "dark")
BOTTOM_PLACES = 3
LANGUAGE_MARKS = {"en": "EN", "zh-hant": "繁", "zh-hans": "简"}
_HTML_LANGUAGES = {"en": "en", "zh-hant": "zh-Hant", "zh-hans": "zh-Hans"}


@dataclass(frozen=True, slots=True)
class BranchChoice:
    """A branch that the actor may look at."""

    id: int
    name: str


BranchProvider = Callable[[Actor], Sequence[BranchChoice]]
_branch_providers: list[BranchProvider] = []


def provide_branches(provider: BranchProvider) -> BranchProvider:
    """Let the room that knows the branches tell the shell which ones an actor may choose. Usable as a decorator."""
    _branch_providers[:] = [provider]
    return provider


def branches_for(actor: Actor) -> list[BranchChoice]:
    """The branches `actor` may choose between; empty while no room provides them."""
    return [choice for provider in _branch_providers for choice in provider(actor)]


@dataclass(frozen=True, slots=True)
class LanguageChoice:
    code: str
    mark: str
    name: str
    html_code: str
    current: bool


class Shell:
    """What the shell templates read, as `shell`. Nothing is computed before a template asks for it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def actor(self) -> Actor:
        return actor_of(self._request)

    @cached_property
    def signed_in(self) -> bool:
        return self.actor.kind != "anonymous"

    @cached_property
    def areas(self) -> list[navigation.ShownArea]:
        if not self.signed_in:
            return []
        return navigation.areas_for(
            self.actor, path=self._request.path, url_name=str(getattr(self._request, "nav", "") or "")
        )

    @cached_property
    def bottom_places(self) -> list[navigation.ShownArea | navigation.ShownItem]:
        """The places of the bottom bar on a phone, beside Search and More: home, then pages that have a place there,
        then customers and insight while there is room."""
        home: list[navigation.ShownArea | navigation.ShownItem] = [area for area in self.areas if area.key == "home"]
        pages = [item for area in self.areas for item in area.items if item.on_phone]
        others = [area for area in self.areas if area.key in {"customers", "insight"}]
        return [*home, *pages, *others][:BOTTOM_PLACES]

    @cached_property
    def links(self) -> dict[str, str]:
        return {link.role: navigation.link_url(link.role) for link in navigation.links}

    @cached_property
    def branches(self) -> list[BranchChoice]:
        return branches_for(self.actor) if self.signed_in else []

    @cached_property
    def branch(self) -> BranchChoice | None:
        """The chosen branch, or None for all that the actor may see."""
        return chosen_branch(self._request, self.branches)

    @cached_property
    def theme(self) -> str:
        """`light`, `dark`, or empty for what the device prefers."""
        chosen = self._request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else ""

    @cached_property
    def language(self) -> str:
        """The language for the `lang` attribute, which also picks the shapes of Chinese characters."""
        return _HTML_LANGUAGES.get((get_language() or "en").lower(), "en")

    @cached_property
    def languages(self) -> list[LanguageChoice]:
        active = (get_language() or "en").lower()
        return [
            LanguageChoice(code, LANGUAGE_MARKS.get(code.lower(), code), name, html, code.lower() == active)
            for code, name in settings.LANGUAGES
            for html in [_HTML_LANGUAGES.get(code.lower(), code)]
        ]


def actor_of(request: HttpRequest) -> Actor:
    """The actor that the accounts middleware put on the request, or nobody."""
    actor = getattr(request, "actor", None)
    return actor if isinstance(actor, Actor) else ANONYMOUS


def chosen_branch(request: HttpRequest, choices: Sequence[BranchChoice] | None = None) -> BranchChoice | None:
    """The branch picked in the top bar, if the actor may still see it.

    With a single branch to see, that branch is the choice. Costs the provider's query unless `choices` are given.
    """
    offered = branches_for(actor_of(request)) if choices is None else choices
    if len(offered) == 1:
        return offered[0]
    picked = request.COOKIES.get(BRANCH_COOKIE, "")
    return next((choice for choice in offered if str(choice.id) == picked), None)
