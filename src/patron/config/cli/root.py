"""The list of subcommands, and how their refusals are shown: one line with the remedy, exit code 1, no traceback."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from patron.kernel.embedded_host import EmbeddedServerError

# Name → module beside this one. The order is that of the help.
COMMANDS = {
    "up": "up",
    "demo": "demo",
    "import": "importing",
    "refresh": "refresh",
    "analyse": "analyse",
    "mine": "mine",
    "createstaff": "staff",
    "doctor": "doctor",
    "backup": "backup",
    "restore": "restore",
    "manage": "manage",
    "messages": "messages",
}

# Errors whose words are meant for users. Looked up only where their module was loaded: nothing is loaded for them.
_EXPLAINED = {
    "patron.kernel.errors": "DomainError",
    "patron.intelligence.warehouse.errors": "WarehouseError",
    "patron.intelligence.mining.errors": "MiningError",
    "patron.config.demo.files": "DemoDataMissingError",
}

errors = Console(stderr=True, highlight=False)


class CommandError(Exception):
    """A command cannot go on; the message says why and what to do."""


class _Commands(TyperGroup):
    """Loads a subcommand's module when it is asked for, and turns refusals into one clear line."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return [name for name, module in COMMANDS.items() if find_spec(f"patron.config.cli.{module}") is not None]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = typer.main.get_command(import_module(f"patron.config.cli.{COMMANDS[cmd_name]}").app)
        command.name = cmd_name
        return command

    def main(self, args: Sequence[str] | None = None, *rest: Any, **named: Any) -> Any:
        arguments = list(sys.argv[1:] if args is None else args)
        if arguments[:1] != ["manage"] and "--debug" in arguments:
            arguments.remove("--debug")
            arguments.insert(0, "--debug")
        return super().main(arguments, *rest, **named)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            message = explain(error)
            if message is None or ctx.params.get("debug"):
                raise
            errors.print(f"[bold red]patron:[/] {escape(message)}", soft_wrap=True)
            raise typer.Exit(1) from None


def explain(error: Exception) -> str | None:
    """The words for an error that a user can act on;
    `None` for a fault of the program, which deserves its traceback.
    """
    if isinstance(error, CommandError | EmbeddedServerError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    for module, name in _EXPLAINED.items():
        if module in sys.modules and isinstance(error, getattr(sys.modules[module], name)):
            return str(error)
    if type(error).__module__.split(".")[0] in {"psycopg", "django"} and type(error).__name__ == "OperationalError":
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        return f"The database does not answer: {first_line}. Check PATRON_DATABASE_URL; “patron doctor” says more."
    return None


app = typer.Typer(
    cls=_Commands, name="patron", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    rich_markup_mode="rich", help="Patron (貴客): find your VIPs, keep them, lift the rest.",
)  # fmt: skip


@app.callback()
def main(debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False) -> None:
    """Options of every command; `debug` is read from the context where errors are shown."""
