"""The `patron` command itself: what it loads, how it refuses, what it compiles."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import PoFileError
from typer.testing import CliRunner

from patron.config.cli import app
from patron.config.cli.messages import compile_messages
from patron.config.cli.root import COMMANDS, CommandError, explain
from patron.kernel.embedded import EmbeddedServerError
from patron.kernel.errors import Conflict

runner = CliRunner()


@pytest.mark.parametrize("arguments", [["--help"], ["mine", "--help"], ["up", "--help"], ["backup", "--help"]])
def test_help_does_not_load_django(arguments: list[str]) -> None:
    code = (
        "import sys; from patron.config.cli import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit as end: code = end.code\n"
        "assert not code, code; assert 'django' not in sys.modules, 'Django was loaded'"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr


def test_help_lists_every_command() -> None:
    said = runner.invoke(app, ["--help"], env={"COLUMNS": "120"}).output
    for name in COMMANDS:
        assert f"│ {name} " in said, name


def test_unknown_command_is_refused() -> None:
    result = runner.invoke(app, ["fly"])
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.output


def test_refusal_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    result = runner.invoke(app, ["backup", str(tmp_path / "missing" / "file")])
    assert result.exit_code == 1
    assert result.output == f"patron: The directory {tmp_path / 'missing'} does not exist.\n"


@pytest.mark.parametrize("position", [0, 2])
def test_debug_shows_the_error_itself(tmp_path: Path, position: int) -> None:
    arguments = ["backup", str(tmp_path / "missing" / "file")]
    arguments.insert(position, "--debug")
    result = runner.invoke(app, arguments)
    assert isinstance(result.exception, CommandError)


def test_explain_knows_what_a_user_can_act_on() -> None:
    assert explain(CommandError("so")) == "so"
    assert explain(EmbeddedServerError("no server")) == "no server"
    assert explain(Conflict("twice")) == "twice"
    full = OSError(errno.ENOSPC, "No space left on device", "/data/x")
    assert explain(full) == "/data/x: No space left on device"
    assert explain(ValueError("a fault of ours")) is None


CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "Customers"
msgstr "顧客"

msgid "%(number)s card"
msgid_plural "%(number)s cards"
msgstr[0] "%(number)s 張卡"

#, fuzzy
msgid "Guess"
msgstr "猜"
"""


def test_compile_messages_makes_catalogues_that_gettext_reads(tmp_path: Path) -> None:
    import gettext

    folder = tmp_path / "zh_Hant" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(CATALOGUE, encoding="utf-8")

    assert compile_messages(tmp_path) == 1

    with (folder / "django.mo").open("rb") as compiled:
        texts = gettext.GNUTranslations(compiled)
    assert texts.gettext("Customers") == "顧客"
    assert texts.ngettext("%(number)s card", "%(number)s cards", 5) == "%(number)s 張卡"
    assert texts.gettext("Guess") == "Guess", "an unchecked guess is not shown"


def test_compile_messages_refuses_a_broken_catalogue(tmp_path: Path) -> None:
    folder = tmp_path / "zh_Hant" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text('msgid "Customers"\nnonsense\n', encoding="utf-8")

    with pytest.raises(PoFileError, match="on 1"):
        compile_messages(tmp_path)
    assert not (folder / "django.mo").exists()
