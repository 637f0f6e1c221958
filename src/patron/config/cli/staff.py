"""`patron createstaff`: let someone sign in."""

from typing import Annotated

import typer
from rich.console import Console

from patron.config.cli.root import CommandError
from patron.config.cli.session import installation

app = typer.Typer(add_completion=False)
console = Console(highlight=False)


@app.command(help="Let someone sign in, for example the first administrator. Asks for the password.")
def createstaff(
    *,
    username: Annotated[str, typer.Argument(help="What they type to sign in.")],
    name: Annotated[str, typer.Option(help="Their name; the username where it is not given.")] = "",
    role: Annotated[str, typer.Option(help="administrator, executive, marketer, analyst, cashier …")] = "administrator",
    email: Annotated[str, typer.Option(help="Their e-mail address.")] = "",
    branch: Annotated[list[str] | None, typer.Option(help="Code of a branch they work in; may be repeated.")] = None,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="PATRON_STAFF_PASSWORD")
    ],
) -> None:
    """Create one member of staff by the same operation as the pages use."""
    with installation():
        from patron.core.accounts.operations import create_staff
        from patron.core.accounts.queries import get_branches_by_code
        from patron.core.accounts.rules import Role
        from patron.kernel import clock
        from patron.kernel.actor import system

        if role not in set(Role):
            raise CommandError(f"There is no role “{role}”. There are: {', '.join(Role)}.")
        codes = branch or []
        branches = get_branches_by_code(codes)
        if missing := sorted(set(codes) - {found.code for found in branches}):
            raise CommandError(f"There is no branch with the code {', '.join(missing)}.")
        create_staff(
            username=username, name=name or username, role=role, email=email, password=password, branches=branches,
            actor=system("createstaff"), now=clock.now(),
        )  # fmt: skip
    console.print(f"{username} may sign in now, as {role}.")
