"""Phone numbers: anything people write to E.164, and back to what they read.

The numbering plans of Hong Kong, Macau, Taiwan and mainland mobiles are simple enough for patterns, which take a
microsecond; they accept every number of the right shape, because plans open new ranges faster than libraries learn.
Everything else goes through Google's library (`phonenumbers`), some 50 µs each, and must be valid there.
"""

import re
from functools import lru_cache

import phonenumbers

_NOISE = re.compile(r"[^\d+]")
_LETTERS = re.compile(r"[^\W\d_]")

# Region -> (country code, pattern of the national number as dialled at home, how to take the trunk prefix off)
PLANS = {
    "HK": ("852", r"[2-9]\d{7}", r""),
    "MO": ("853", r"(?:6\d|28|8\d)\d{6}", r""),
    "TW": ("886", r"0?(?:9\d{8}|[2-8]\d{7,8})", r"^0"),
    "CN": ("86", r"1[3-9]\d{9}", r""),
}
_COMPILED = {region: (code, re.compile(pattern), re.compile(trunk)) for region, (code, pattern, trunk) in PLANS.items()}


def normalised_phone(text: str, *, region: str) -> str | None:
    """`text` in E.164, or None where it is no phone number. `region` is where a number without country code is at home.

    A mainland mobile number is recognised wherever one is.
    """
    if _LETTERS.search(text):
        return None
    digits = _NOISE.sub("", text.strip())
    international = digits[1:] if digits.startswith("+") else digits[2:] if digits.startswith("00") else ""
    if international:
        for code, pattern, _trunk in _COMPILED.values():
            if international.startswith(code) and pattern.fullmatch(international[len(code) :]):
                return f"+{international}" if code != "886" else f"+886{international[3:].removeprefix('0')}"
    else:
        for home in dict.fromkeys((region, "CN")):
            if home in _COMPILED and (plan := _COMPILED[home])[1].fullmatch(digits):
                return f"+{plan[0]}{plan[2].sub('', digits)}"
    return library_phone(text if not international else f"+{international}", region)


def library_phone(text: str, region: str) -> str | None:
    """`text` in E.164 by the library alone, or None."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=10_000)
def shown_phone(e164: str, *, region: str) -> str:
    """How people in `region` read the number: `6123 4567` at home, `+86 138 1234 5678` from elsewhere."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    home = number.country_code == phonenumbers.country_code_for_region(region)
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)
