"""An installation of its own for tests that use the `patron` command as people do: in processes."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from patron.kernel.embedded import EmbeddedServer


class Installation:
    """A home with an embedded server of its own, used through the `patron` command."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="patron-installation-"))
        self.home.chmod(0o711)
        self.server = EmbeddedServer(self.home / "postgres", fast=True)

    def run(self, *arguments: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run `patron` with the arguments to its end."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PATRON_")}
        environment |= {"PATRON_HOME": str(self.home), "COLUMNS": "200", **(variables or {})}
        return subprocess.run(
            [sys.executable, "-m", "patron.config.cli", *arguments],
            env=environment, capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip

    def must(self, *arguments: str, variables: dict[str, str] | None = None) -> str:
        """Run `patron`, which must succeed, and give what it said."""
        finished = self.run(*arguments, variables=variables)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def ask(self, question: str) -> list[tuple[object, ...]]:
        """The rows that a question to its database gives."""
        with self.server.lease() as url, psycopg.connect(url) as connection:
            return connection.execute(question).fetchall()

    def databases(self) -> list[str]:
        """The databases of its server."""
        found = self.ask("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1")
        return [str(row[0]) for row in found]

    def destroy(self) -> None:
        """Remove everything."""
        self.server.destroy()
        shutil.rmtree(self.home, ignore_errors=True)
