"""`python -m patron.config.cli`: the same as `patron`, also where the script's directory is not on PATH."""

from patron.config.cli import app

app(prog_name="patron")
