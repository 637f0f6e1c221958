"""`patron manage openapi FILE`: write the description of the API, for programs that make clients from it."""

import json
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand

from patron.touchpoints.api.views import openapi_document


def written(document: object) -> str:
    """The document as it stands in a file."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


class Command(BaseCommand):
    help = "Write the OpenAPI document of the API into a file."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_: object, **options: Path) -> None:
        options["file"].write_text(written(openapi_document()), encoding="utf-8")
