"""From what is on file to search terms, and from what is typed to what must be looked up.

Names are found through terms: bare strings in one array for each customer, under a GIN index.

| of | terms | example |
|---|---|---|
| Chinese name | each character and each pair, in simplified form | 陈 大 文 陈大 大文 |
| its pinyin, joined | whole and given name at the lengths of STEPS and in full; initials | chen chenda dawen cdw |
| Latin words | at the lengths of STEPS and in full; two letters of the first word only | ch cha chan tai man |
| phone, card | `~` and the last four | ~4567 |
| home branch | `#` and its id: a bound actor's query asks for it too | #3 |

What is unique (numbers, whole phones, e-mails, cards) is not repeated here: each has a B-tree of its own, which is
smaller and faster to build than five million single entries in an inverted index.

A prefix at a length that is not among STEPS is looked up at the next shorter one, and checked against the full words on
the rows found. Measured with a million customers, two thirds of them with Chinese names: 18 terms each, made at 60,000
customers a second and core (names repeat less in that file than in life); index 105 MB, built in 12 s of one core.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from patron.core.customers.search.characters import (
    CHINESE_RUN,
    family_length,
    folded_latin,
    simplified,
    syllables,
)

STEPS = (2, 3, 4, 5, 6, 8)
TAIL = 4
LONGEST_NAME = 24
LONGEST_WORD = 24
MOST_WORDS = 12

_WORD = re.compile(r"[^\W_]+")
_NOT_CODE = re.compile(r"[\W_]+")
_PHONE_LIKE = re.compile(r"\+?[\d\s().\-/]{4,24}")
_EMAIL_LIKE = re.compile(r"[a-z0-9][a-z0-9._+-]{2,}(?:@[^\s@]*)?")


def _steps(word: str, shortest: int) -> list[str]:
    """`word` at the lengths of STEPS from `shortest`, and in full."""
    length = len(word)
    terms = [word[:step] for step in STEPS if shortest <= step < length]
    terms.append(word)
    return terms


@dataclass(frozen=True, slots=True)
class _Part:
    """A family or given name by itself: folded characters, their terms, joined reading, initials."""

    characters: str
    terms: tuple[str, ...]
    reading: str
    initials: str


@lru_cache(maxsize=200_000)
def _part(characters: str, *, family: bool) -> _Part:
    read = syllables(characters, family=len(characters) if family else 0)
    reading = "".join(read)[:LONGEST_WORD]
    terms = [*characters, *(characters[i : i + 2] for i in range(len(characters) - 1))]
    if reading and not family:
        terms += _steps(reading, 3)
    return _Part(characters, tuple(terms), reading, "".join([syllable[0] for syllable in read])[:8])


def chinese_terms(run: str, family_length: int) -> list[str]:
    """Terms of one run of folded Chinese characters whose first `family_length` are a family name."""
    family, given = _part(run[:family_length], family=True), _part(run[family_length:], family=False)
    terms = [*family.terms, *given.terms]
    if given.characters:
        terms.append(family.characters[-1:] + given.characters[0])
    reading = (family.reading + given.reading)[:LONGEST_WORD]
    if reading:
        terms += _steps(reading, 2)
    initials = family.initials + given.initials
    if len(initials) > 1:
        terms += _steps(initials, 2)
    if "v" in family.reading:  # 呂 is typed lv, and written Lu or Lyu
        terms += _steps(reading.replace("v", "u"), 2)
    return terms


@lru_cache(maxsize=100_000)
def latin_terms(word: str, shortest: int) -> tuple[str, ...]:
    """Terms of one word in Latin (or any other alphabetic) script."""
    return tuple(_steps(folded_latin(word)[:LONGEST_WORD], shortest))


def name_terms(name: str, family_name: str) -> list[str]:
    """Terms of a name in any mixture of scripts, some perhaps twice. An empty `family_name` is found out."""
    terms: list[str] = []
    if not name.isascii():
        for run in CHINESE_RUN.findall(name):
            folded = simplified(run[:LONGEST_NAME])
            known = len(family_name) if family_name and run.startswith(family_name) else 0
            terms += chinese_terms(folded, known or family_length(folded))
        name = CHINESE_RUN.sub(" ", name)
        if name == " ":
            return terms
    for position, word in enumerate(_WORD.findall(name)[:MOST_WORDS]):
        terms += latin_terms(word, 2 if position == 0 else 3)
    return terms


def plain_code(code: str) -> str:
    """A code without spaces and hyphens, lower case."""
    return code.lower() if code.isalnum() else _NOT_CODE.sub("", code).lower()


def terms_of(
    *,
    name: str,
    family_name: str = "",
    latin_name: str = "",
    branch_id: int | None = None,
    tails: Iterable[str] = (),
) -> list[str]:
    """The search terms of one customer, each once. `tails` are phone and card numbers, of which the end counts."""
    terms = name_terms(name, family_name)
    if latin_name:
        terms += name_terms(latin_name, "")
    for code in tails:
        end = code[-TAIL:]
        terms.append(f"~{end.lower() if end.isalnum() else plain_code(code)[-TAIL:]}")
    if branch_id is not None:
        terms.append(f"#{branch_id}")
    return [term for term in dict.fromkeys(terms) if term]


@dataclass(frozen=True, slots=True)
class Words:
    """One way in which a text may be a name: `all_of` through the index, and each of `starts` begins a term."""

    all_of: tuple[str, ...]
    starts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What a text may mean; each part that is set is looked up, and any of them finds.

    `code` is a number of any kind, exact; `tail` the digits that a phone ends with (four or more);
    `email` the beginning of an address.
    """

    typed: str
    names: tuple[Words, ...] = ()
    code: str = ""
    tail: str = ""
    email: str = ""

    def __bool__(self) -> bool:
        return bool(self.names or self.code or self.tail or self.email)


def parse(text: str) -> Query:
    """What `text` may mean. False as a condition where it means nothing."""
    typed = unicodedata.normalize("NFKC", text).strip()[:200]
    lower = typed.lower()
    digits = re.sub(r"\D", "", typed)
    if _PHONE_LIKE.fullmatch(typed) and digits:
        tail = digits.lstrip("0") if len(digits) > 8 else digits  # 020 7946 0123 is kept as +44 20 7946 0123
        return Query(typed, code=digits, tail=tail if len(tail) >= TAIL else "")
    if "@" in lower:
        return Query(typed, email=lower if _EMAIL_LIKE.fullmatch(lower) else "")
    words = _words(lower)
    names = [_all_words(words)] if words else []
    if len(words) > 1 and all(word.isascii() and word.isalpha() for word in words):
        names.append(_all_words(["".join(words)]))  # chen da wen: pinyin is indexed joined
    plain = plain_code(typed)
    return Query(
        typed,
        names=tuple(names),
        code=plain if plain.isascii() and digits else "",
        email=lower if _EMAIL_LIKE.fullmatch(lower) else "",
    )


def _words(lower: str) -> list[str]:
    """Runs of Chinese characters (folded) and words of other scripts (folded), in the order typed."""
    spaced = CHINESE_RUN.sub(lambda run: f" {simplified(run.group())} ", lower)
    return [folded_latin(word) for word in _WORD.findall(spaced)][:MOST_WORDS]


def _all_words(words: Sequence[str]) -> Words:
    all_of: dict[str, None] = {}
    starts: dict[str, None] = {}
    for word in words:
        if CHINESE_RUN.fullmatch(word):
            pairs = [word[i : i + 2] for i in range(len(word) - 1)] or [word]
            all_of.update(dict.fromkeys(pairs))
        elif word.isdigit() and len(word) == TAIL:
            all_of[f"~{word}"] = None  # 王 4567: the one of that name whose phone ends so
        else:
            word = word[:LONGEST_WORD]
            step = max((step for step in STEPS if step <= len(word)), default=len(word))
            all_of[word[:step]] = None
            if step < len(word):
                starts[word] = None
    return Words(tuple(all_of), starts=tuple(starts))
