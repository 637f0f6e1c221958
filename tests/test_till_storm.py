"""Eight connections, five thousand mixed operations on twenty members, and a database killed in the middle."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from patron_installation import Installation

from patron.kernel.embedded import EmbeddedServer

OPERATIONS = 5_000
STORM = Path(__file__).parent / "support" / "till_storm.py"


@pytest.fixture
def installation() -> Iterator[Installation]:
    made = Installation()
    made.server = EmbeddedServer(made.home / "postgres")  # one that keeps what it says, as in earnest
    yield made
    made.destroy()


@pytest.mark.slow
def test_every_acknowledged_operation_is_there_exactly_once(installation: Installation) -> None:
    installation.must("manage", "migrate", "--verbosity", "0")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PATRON_")}
    environment |= {"PATRON_HOME": str(installation.home), "PATRON_LOG_LEVEL": "CRITICAL"}
    with (
        installation.server.lease(),
        subprocess.Popen(
            [sys.executable, str(STORM), str(OPERATIONS)], env=environment, stdout=subprocess.PIPE, text=True
        ) as storm,
    ):
        assert storm.stdout is not None
        assert storm.stdout.readline() == "half\n"
        postmaster = int((installation.server.data_dir / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGKILL)
        installation.server.start()
        said, _ = storm.communicate(timeout=400)
    result = json.loads(said.splitlines()[-1])
    assert result["faults"] == []
    assert result["operations"] >= OPERATIONS
    assert result["retries"] > 0
