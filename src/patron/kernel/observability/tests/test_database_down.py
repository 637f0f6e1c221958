"""The database stops in the middle of a request: a clear answer, and all is well once it is back."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SCRIPT = textwrap.dedent(
    """
    import json, os, sys
    from pathlib import Path
    from patron.kernel.embedded import EmbeddedServer

    server = EmbeddedServer(Path(sys.argv[1]) / "postgres", fast=True)
    os.environ["PATRON_DATABASE_URL"] = server.start(die_with_parent=True)
    import django
    django.setup()
    from django.db import connection
    from django.http import HttpResponse
    from django.test import Client, override_settings
    from django.urls import include, path

    def ask():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def page(request):
        ask()
        if "stop" in request.GET:
            server.stop()
            ask()
        return HttpResponse("ok")

    handler500 = "patron.kernel.observability.failures.server_error"
    urlpatterns = [
        path("", include("patron.kernel.observability.urls")), path("page/", page), path("api/page/", page),
    ]
    client = Client(raise_request_exception=False)
    told = {}

    def tell(name, response):
        told[name] = [
            response.status_code, response.headers["Content-Type"], response.headers.get("Retry-After", ""),
            response.content.decode(),
        ]

    with override_settings(ROOT_URLCONF="__main__"):
        tell("before", client.get("/page/"))
        tell("in the middle", client.get("/page/?stop", headers={"Accept": "text/html", "Accept-Language": "en"}))
        tell("api", client.get("/api/page/"))
        tell("alive", client.get("/healthz"))
        tell("ready", client.get("/readyz"))
        server.start(die_with_parent=True)
        django.core.signals.request_finished.send(sender=None)
        tell("after", client.get("/page/"))
    server.destroy()
    print(json.dumps(told))
    """
)


@pytest.mark.slow
def test_database_stopped_in_mid_request_gives_503_and_recovers(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-I", str(script), str(tmp_path)],
        env={
            **os.environ,
            "PATRON_HOME": str(tmp_path),
            "PATRON_TESTING": "1",
            "DJANGO_SETTINGS_MODULE": "patron.config.settings",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["before"][0] == 200
    status, kind, retry_after, body = told["in the middle"]
    assert (status, kind, retry_after) == (503, "text/html; charset=utf-8", "5")
    assert "The database is not answering just now." in body
    status, kind, retry_after, body = told["api"]
    assert (status, kind, retry_after) == (503, "application/problem+json", "5")
    assert json.loads(body)["code"] == "unavailable"
    assert told["alive"][0] == 200
    assert told["ready"][0] == 503
    assert json.loads(told["ready"][3])["checks"]["database"]["fault"] == "the database does not answer"
    assert told["after"][0] == 200
