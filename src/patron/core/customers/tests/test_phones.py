import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.core.customers.phones import library_phone, normalised_phone, shown_phone


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("6123 4567", "HK", "+85261234567"),
        ("(852) 6123-4567", "HK", "+85261234567"),
        ("+852 6123 4567", "TW", "+85261234567"),
        ("00852-61234567", "HK", "+85261234567"),
        ("2888 1234", "HK", "+85228881234"),
        ("138 1234 5678", "HK", "+8613812345678"),
        ("+86 138 1234 5678", "HK", "+8613812345678"),
        ("0912 345 678", "TW", "+886912345678"),
        ("+886 0912 345 678", "HK", "+886912345678"),
        ("6612 3456", "MO", "+85366123456"),
        ("+44 20 7946 0123", "HK", "+442079460123"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("+1 (201) 555-0123", "HK", "+12015550123"),
    ],
)
def test_normalised_phone_reads_what_people_write(text: str, region: str, e164: str) -> None:
    assert normalised_phone(text, region=region) == e164


@pytest.mark.parametrize("text", ["", "12345", "1234 5678", "call me", "6123 4567 ext 5", "+999 1234", "0000 0000"])
def test_normalised_phone_knows_what_is_none(text: str) -> None:
    assert normalised_phone(text, region="HK") is None


@given(st.sampled_from(["+8526", "+8529", "+86138", "+86159", "+85366", "+8869"]), st.integers(0, 9_999_999))
def test_fast_path_gives_what_the_library_gives(prefix: str, rest: int) -> None:
    lengths = {"+8526": 7, "+8529": 7, "+86138": 8, "+86159": 8, "+85366": 6, "+8869": 8}
    text = f"{prefix}{rest:08d}"[: len(prefix) + lengths[prefix]]
    by_library = library_phone(text, "HK")
    if by_library is not None:
        assert normalised_phone(text, region="HK") == by_library


def test_shown_phone_is_national_at_home() -> None:
    assert shown_phone("+85261234567", region="HK") == "6123 4567"
    assert shown_phone("+8613812345678", region="HK") == "+86 138 1234 5678"
    assert shown_phone("nonsense", region="HK") == "nonsense"
