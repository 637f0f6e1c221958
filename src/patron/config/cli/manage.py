"""`patron manage …`: Django's own commands."""

import typer

from patron.config.cli.session import database, setup_django
from patron.config.home import home_directory

app = typer.Typer(add_completion=False)

# These look at code alone; starting a database for them would only cost time.
_WITHOUT_DATABASE = {
    "makemessages",
    "compilemessages",
    "collectstatic",
    "diffsettings",
    "findstatic",
    "help",
    "openapi",
}


@app.command(
    help="Run a Django management command (shell, migrate, dbshell …).",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False},
)
def manage(context: typer.Context) -> None:
    """Pass everything on to Django."""
    from django.core.management import execute_from_command_line

    arguments = ["patron manage", *context.args]
    if not context.args or context.args[0] in _WITHOUT_DATABASE:
        setup_django()
        execute_from_command_line(arguments)
        return
    with database(home_directory()):
        setup_django()
        execute_from_command_line(arguments)
