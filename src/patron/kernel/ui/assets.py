"""Where the front-end parts come from: the few dist files of the npm packages that pages load.

There is no bundler. `node_modules` stands beside `pyproject.toml` (or where `PATRON_NODE_MODULES` points); the finder
below offers exactly the files pages load under `vendor/`, and the storage gives every file a hashed name.
"""

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

VENDOR_FILES = {
    "vendor/tabler/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "vendor/htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "vendor/stimulus/stimulus.js": "@hotwired/stimulus/dist/stimulus.js",
    "vendor/echarts/echarts.esm.min.js": "echarts/dist/echarts.esm.min.js",
}

_REPOSITORY_ROOT = Path(__file__).resolve().parents[4]


@cache
def node_modules() -> Path:
    """The folder of installed npm packages."""
    return Path(os.environ.get("PATRON_NODE_MODULES") or _REPOSITORY_ROOT / "node_modules")


class NodePartsFinder(BaseFinder):
    """Static files finder for `VENDOR_FILES`: named files only, so that collecting stays quick."""

    def check(self, **_: Any) -> list[CheckMessage]:
        missing = [part for part in VENDOR_FILES.values() if not (node_modules() / part).is_file()]
        if not missing:
            return []
        return [
            Error(
                f"front-end parts are not installed: {', '.join(missing)}",
                hint="Run `npm ci` in the repository, or point PATRON_NODE_MODULES at an installed node_modules.",
                id="patron.ui.E001",
            )
        ]

    def find(self, path: str, find_all: bool = False, **_: Any) -> Any:
        part = VENDOR_FILES.get(path)
        found = [str(node_modules() / part)] if part and (node_modules() / part).is_file() else []
        return found if find_all else next(iter(found), [])

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:  # noqa: ARG002
        for target, part in VENDOR_FILES.items():
            yield target, _SingleFile(target, node_modules() / part)


class _SingleFile(FileSystemStorage):
    """One file of a package, offered under another path."""

    prefix = ""

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(location=str(path.parent))
        self._name, self._path = name, path

    def path(self, name: str) -> str:
        return str(self._path) if name == self._name else super().path(name)


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed and compressed static files whose ES module imports point at the hashed names.

    Only our own files are rewritten: vendor files are self-contained, and their source maps are not collected.
    """

    patterns = (
        ("patron/*.css", (r"""(?P<matched>url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\))""",)),
        (
            "patron/*.js",
            (
                (
                    r"""(?P<matched>import(?P<import>\s[^;"']*?)\s*from\s*['"](?P<url>[./].*?)["']\s*;)""",
                    """import%(import)s from "%(url)s";""",
                ),
            ),
        ),
    )
