"""`patron up`: run the product."""

from typing import Annotated

import typer

from patron.config.cli.supervisor import serve
from patron.config.home import home_directory

app = typer.Typer(add_completion=False)

Host = Annotated[str, typer.Option(envvar="PATRON_HOST", help="Address to listen on; 0.0.0.0 for every network.")]
Port = Annotated[int, typer.Option(envvar="PATRON_PORT", min=1, max=65535, help="Port to listen on.")]


@app.command(help="Run the product: database, web server and worker. Stop with Ctrl-C.")
def up(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve in the foreground until Ctrl-C or SIGTERM."""
    serve(home=home_directory(), host=host, port=port)
