"""A place to read the log lines of a test."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from structlog.stdlib import ProcessorFormatter


class Lines:
    """The lines written so far, as the objects that a log collector would read."""

    def __init__(self, stream: io.StringIO) -> None:
        self.stream = stream

    def of(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def log_lines() -> Iterator[Lines]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    options = dict(settings.LOGGING["formatters"]["line"])
    options.pop("()")
    handler.setFormatter(ProcessorFormatter(**options))
    logging.getLogger().addHandler(handler)
    yield Lines(stream)
    logging.getLogger().removeHandler(handler)
