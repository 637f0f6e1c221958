"""`patron messages`: compile the translations, with Babel, since most machines have no gettext tools."""

from pathlib import Path

import typer

app = typer.Typer(add_completion=False)


@app.command(help="Compile the translations (.po → .mo).")
def messages() -> None:
    """Compile every catalogue of the package; fails on one that cannot be read."""
    compiled = compile_messages(Path(__file__).resolve().parents[2] / "locale")
    typer.echo(f"{compiled} translations compiled")


def compile_messages(locale_directory: Path) -> int:
    """Compile each `<language>/LC_MESSAGES/*.po` beneath the directory beside itself and return how many there
    were.
    """
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    catalogues = sorted(locale_directory.glob("*/LC_MESSAGES/*.po"))
    for path in catalogues:
        with path.open("rb") as source:
            catalogue = read_po(source, locale=path.parent.parent.name, abort_invalid=True)
        with path.with_suffix(".mo").open("wb") as target:
            write_mo(target, catalogue)
    return len(catalogues)
