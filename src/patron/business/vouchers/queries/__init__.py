"""Every read of vouchers, by topic."""

from patron.business.vouchers.models import VoucherDefinition
from patron.business.vouchers.queries.checks import check_vouchers
from patron.business.vouchers.queries.figures import (
    Redemption,
    States,
    definitions_by_hand,
    definitions_for_birthdays,
    definitions_for_points,
    get_definition,
    redemption,
    states,
)
from patron.business.vouchers.queries.listing import (
    VoucherLine,
    VoucherPage,
    codes_of_definition,
    find_voucher,
    get_voucher,
    vouchers_of,
    vouchers_of_definition,
)
from patron.business.vouchers.queries.members import find_member
from patron.business.vouchers.queries.till import (
    CodeCheck,
    UsableVoucher,
    check_codes,
    usable_vouchers,
    vouchers_at_hand,
)
from patron.business.vouchers.queries.words import conditions, promise, reason_words, sentence

__all__ = [
    "CodeCheck",
    "Redemption",
    "States",
    "UsableVoucher",
    "VoucherDefinition",
    "VoucherLine",
    "VoucherPage",
    "check_codes",
    "check_vouchers",
    "codes_of_definition",
    "conditions",
    "definitions_by_hand",
    "definitions_for_birthdays",
    "definitions_for_points",
    "find_member",
    "find_voucher",
    "get_definition",
    "get_voucher",
    "promise",
    "reason_words",
    "redemption",
    "sentence",
    "states",
    "usable_vouchers",
    "vouchers_at_hand",
    "vouchers_of",
    "vouchers_of_definition",
]
