"""Every text that people read is there in both Chinese scripts."""

import ast
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize
from opencc import OpenCC

SOURCE = Path(__file__).resolve().parent.parent / "src" / "patron"
LOCALES = ("zh_Hant", "zh_Hans")
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
}
PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
TEMPLATE_CALL = re.compile(r"""(?:(?<!p)gettext|_)\(\s*u?('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""")
SIMPLIFIED_ONLY = set("会积顾户员设导录数据账户页显讯话电邮阶级级销额类编码复选择删则")
TAGS = re.compile(r"</?[a-z][^>]*>")


def _catalogue(locale: str) -> Catalog:
    with (SOURCE / "locale" / locale / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=locale, abort_invalid=True)


def _messages(locale: str) -> list[Message]:
    return [message for message in _catalogue(locale) if message.id]


def _texts(message: Message) -> list[tuple[str, str]]:
    """Pairs of original and translation; of a plural the form for many, which is the only one Chinese has."""
    if isinstance(message.id, tuple):
        return [(message.id[-1], text) for text in message.string]
    return [(str(message.id), str(message.string))]


def _marked() -> Iterator[str]:
    """Every text that the source marks for translation; of a plural the form for one."""
    for path in sorted(SOURCE.rglob("*.py")):
        if not {"tests", "migrations"} & set(path.parts):
            yield from _extracted(path.read_bytes())
    for path in sorted(SOURCE.rglob("templates/**/*.html")):
        yield from _in_template(path.read_text(encoding="utf-8"))


def _in_template(text: str) -> Iterator[str]:
    """Django writes a template's texts out as calls of gettext, and everything else as X."""
    for found in TEMPLATE_CALL.finditer(templatize(text)):
        yield ast.literal_eval(found[1])


def _extracted(code: bytes) -> Iterator[str]:
    for _line, text, _comments, _context in extract("python", io.BytesIO(code), keywords=KEYWORDS):
        first = text[0] if isinstance(text, tuple) else text
        if first:
            yield first


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_that_the_source_marks_is_translated(locale: str) -> None:
    known = {m.id[0] if isinstance(m.id, tuple) else m.id for m in _messages(locale)}

    missing = sorted(set(_marked()) - known)

    assert missing == [], "run make messages, then translate what is new"


@pytest.mark.parametrize("locale", LOCALES)
def test_no_translation_is_missing_or_doubtful(locale: str) -> None:
    messages = _messages(locale)

    assert len(messages) > 1000
    assert [m.id for m in messages if m.fuzzy or not all(text for _, text in _texts(m))] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_translations_keep_placeholders_and_tags(locale: str) -> None:
    wrong = [
        original
        for message in _messages(locale)
        for original, text in _texts(message)
        if Counter(PLACEHOLDERS.findall(original)) != Counter(PLACEHOLDERS.findall(text))
        or Counter(TAGS.findall(original)) != Counter(TAGS.findall(text))
    ]

    assert wrong == []


def test_each_script_is_written_in_its_own_characters() -> None:
    simplify = OpenCC("t2s")
    unchanged_by_design = {"民國"}

    mixed = [
        text
        for message in _messages("zh_Hans")
        for _, text in _texts(message)
        if simplify.convert(text) != text and not any(word in text for word in unchanged_by_design)
    ]
    foreign = [text for message in _messages("zh_Hant") for _, text in _texts(message) if SIMPLIFIED_ONLY & set(text)]

    assert mixed == []
    assert foreign == []


@pytest.mark.parametrize(("language", "words"), [("zh-hant", "登入"), ("zh-hans", "登录")])
@pytest.mark.django_db
def test_sign_in_speaks_the_reader_s_language(client: object, language: str, words: str) -> None:
    response = client.get("/sign-in/", headers={"accept-language": language})  # type: ignore[attr-defined]

    body = response.content.decode()
    assert words in body
    assert ">Sign in<" not in body
