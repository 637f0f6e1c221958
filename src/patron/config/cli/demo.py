"""`patron demo`: run the product with the demo company in it."""

import typer

from patron.config.cli.supervisor import serve
from patron.config.cli.up import Host, Port
from patron.config.home import home_directory

app = typer.Typer(add_completion=False)


@app.command(help="Run the product with a year of a grocery chain's data, loaded at the first start.")
def demo(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Load the demo company unless it is there, then serve as `patron up` does."""
    serve(home=home_directory(), host=host, port=port, demo=True)
