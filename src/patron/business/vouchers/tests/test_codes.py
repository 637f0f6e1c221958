"""Codes: what the check character finds, and how typing is read."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from patron.business.vouchers.rules import codes
from patron.business.vouchers.rules.codes import ALPHABET, grouped, is_well_formed, new_code, new_codes, normalised

made = st.integers(0, 2**55 - 1).map(lambda bits: new_code(lambda _: bits))
places = st.integers(0, 11)


@given(made, places, st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(code: str, place: int, wrong: str) -> None:
    assume(code[place] != wrong)
    assert is_well_formed(code)
    assert not is_well_formed(code[:place] + wrong + code[place + 1 :])


@given(made, places, places)
def test_every_swap_of_two_characters_is_found(code: str, one: int, other: int) -> None:
    assume(code[one] != code[other])
    swapped = list(code)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    assert not is_well_formed("".join(swapped))


@given(made)
def test_a_code_survives_print_and_typing(code: str) -> None:
    assert normalised(grouped(code)) == code
    assert normalised(f" {grouped(code).lower()} ".replace("0", "o").replace("1", "i").replace("v", "u")) == code


def test_codes_use_every_bit_of_chance() -> None:
    assert new_code(lambda bits: 2**bits - 1) == "ZZZZZZZZZZZ" + codes.check_character("Z" * 11)
    assert new_code(lambda _: 0) == "000000000000"
    assert len(set(new_codes(2000))) == 2000


@pytest.mark.parametrize("code", ["", "7K2M", "0000000000000", "00000000000I", "00000000000 "])
def test_what_this_house_never_made_is_not_well_formed(code: str) -> None:
    assert not is_well_formed(code)


def test_the_field_is_one() -> None:
    """α runs through all 31 numbers but zero, so that the twelve weights differ."""
    assert sorted(codes._EXP) == list(range(1, 32))
