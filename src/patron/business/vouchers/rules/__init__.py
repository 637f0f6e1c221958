"""Pure decisions about vouchers: what terms promise, what they are worth on a basket, how codes are made. No Django."""

from patron.business.loyalty.filters import RuleError
from patron.business.vouchers.rules.codes import grouped, is_well_formed, new_code, new_codes, normalised
from patron.business.vouchers.rules.terms import Kind, VoucherTerms
from patron.business.vouchers.rules.worth import Presented, Reason, Worth, in_order, worth_of, worth_of_all

__all__ = [
    "Kind",
    "Presented",
    "Reason",
    "RuleError",
    "VoucherTerms",
    "Worth",
    "grouped",
    "in_order",
    "is_well_formed",
    "new_code",
    "new_codes",
    "normalised",
    "worth_of",
    "worth_of_all",
]
