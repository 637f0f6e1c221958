"""Icons: Tabler's SVG files, written into the page so that they take the colour of the text beside them."""

import re
from functools import cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from patron.kernel.ui.assets import node_modules

_NAME = re.compile(r"[a-z0-9-]+\Z")
_DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_BOUNDING_BOX = re.compile(r"""<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>""")
_ATTRIBUTES = {
    "outline": 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"',
    "filled": 'fill="currentColor"',
}


@cache
def _drawing(name: str, style: str) -> str:
    if not _NAME.match(name) or style not in _ATTRIBUTES:
        raise LookupError(f"{style}/{name} is not an icon name")
    path = node_modules() / "@tabler" / "icons" / "icons" / style / f"{name}.svg"
    try:
        found = _DRAWING.search(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LookupError(f"Tabler has no {style} icon {name!r}; see https://tabler.io/icons") from None
    if found is None:
        raise LookupError(f"{path} holds no drawing")
    return " ".join(_BOUNDING_BOX.sub("", found.group(1)).split())


def icon(name: str, label: str = "", *, style: str = "outline", css: str = "") -> SafeString:
    """An inline SVG. With a `label` it is an image with that name; without, it is hidden from screen readers.

    Raises LookupError when Tabler has no such icon.
    """
    meaning = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    classes = escape(f"icon {css}".strip())
    return mark_safe(  # noqa: S308 (drawing from the pinned package, all else escaped)
        f'<svg class="{classes}" viewBox="0 0 24 24" {_ATTRIBUTES[style]} {meaning} focusable="false">'
        f"{_drawing(name, style)}</svg>"
    )
