"""The `patron` command. Each subcommand is a module, imported when it is used:
`patron mine --help` does not load Django.
"""

from patron.config.cli.root import app

__all__ = ["app"]
