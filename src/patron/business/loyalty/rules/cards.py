"""Card numbers: prefix, running number, check digit. No Django."""

CARD_LENGTH = 16


def check_digit(digits: str) -> str:
    """The digit that completes `digits` (ISO/IEC 7812-1 annex B, the Luhn formula)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit)
        if position % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return str(-total % 10)


def is_valid_card(number: str) -> bool:
    """Whether `number` is 8 to 24 ASCII digits of which the last is right."""
    return 8 <= len(number) <= 24 and number.isascii() and number.isdigit() and check_digit(number[:-1]) == number[-1]


def card_number(prefix: str, serial: int) -> str:
    """The card with running number `serial`: 16 digits, prefix first, check digit last.

    Raises ValueError when the serial has more digits than there is room for.
    """
    room = CARD_LENGTH - 1 - len(prefix)
    if not 0 <= serial < 10**room:
        raise ValueError(f"no room for serial {serial} after prefix {prefix}")
    digits = f"{prefix}{serial:0{room}d}"
    return digits + check_digit(digits)
