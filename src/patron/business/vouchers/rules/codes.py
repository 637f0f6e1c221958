"""Voucher codes: unguessable, readable aloud, and with a check character that finds mistyping. No Django.

A code has 11 random characters of 32 (55 bits) and a check character. The characters are numbers of the field GF(32);
a code is right when Σ wᵢ·cᵢ = 0 with the twelve different weights wᵢ = α¹¹ … α⁰. So every single wrong character is
found, and every swap of two different characters, wherever they stand (a Reed–Solomon code of distance 2).
"""

import secrets
from collections.abc import Callable, Iterator

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: digits and letters without I, L, O (look like 1 and 0) and U."""

RANDOM_CHARACTERS = 11
LENGTH = RANDOM_CHARACTERS + 1
GROUP = 4
SHORTEST_WORD, LONGEST_WORD = 4, 24

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_LOOKALIKES = str.maketrans("ILOUilou", "110V110V")
_FIELD = 0b100101
"""x⁵ + x² + 1, primitive over GF(2): α = x runs through all 31 numbers but zero."""


def _powers() -> tuple[int, ...]:
    found, value = [], 1
    for _ in range(31):
        found.append(value)
        value <<= 1
        if value & 0b100000:
            value ^= _FIELD
    return tuple(found)


_EXP = _powers()
_LOG = {value: power for power, value in enumerate(_EXP)}


def _times_alpha(value: int, power: int) -> int:
    return _EXP[(_LOG[value] + power) % 31] if value else 0


_TIMES = tuple(tuple(_times_alpha(value, power) for value in range(32)) for power in range(LENGTH))


def _sum(values: list[int], lowest: int) -> int:
    total = 0
    for power, value in enumerate(reversed(values), start=lowest):
        total ^= _TIMES[power][value]
    return total


def check_character(payload: str) -> str:
    """The character that completes the 11 random ones."""
    return ALPHABET[_sum([_VALUES[character] for character in payload], 1)]


def new_code(random: Callable[[int], int] = secrets.randbits) -> str:
    """A fresh code of twelve characters. `random` gives a number of so many bits."""
    bits = random(5 * RANDOM_CHARACTERS)
    payload = "".join(ALPHABET[bits >> 5 * place & 31] for place in range(RANDOM_CHARACTERS))
    return payload + check_character(payload)


def new_codes(count: int) -> Iterator[str]:
    """`count` fresh codes, all different."""
    given: set[str] = set()
    while len(given) < count:
        code = new_code()
        if code not in given:
            given.add(code)
            yield code


def is_well_formed(code: str) -> bool:
    """Whether a normalised code is one that this house could have made up: twelve characters, the last one right."""
    return (
        len(code) == LENGTH
        and all(character in _VALUES for character in code)
        and _sum([_VALUES[character] for character in code], 0) == 0
    )


def normalised(typed: str) -> str:
    """What was typed, as codes are kept: no spaces or hyphens, capitals, O as 0, I and L as 1, U as V.

    >>> normalised("ab1o-2i l3")
    'AB102113'
    """
    kept = "".join(character for character in typed if character.isascii() and character.isalnum())
    return kept.upper().translate(_LOOKALIKES)[: LONGEST_WORD + 1]


def grouped(code: str) -> str:
    """A code as it is printed: `7K2M-9QXT-04FB`."""
    if len(code) != LENGTH:
        return code
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))
