"""Every write of vouchers, by topic."""

from patron.business.vouchers.operations.defining import (
    Issue,
    Limits,
    change_definition,
    define_vouchers,
    set_issuing,
)
from patron.business.vouchers.operations.issuing import (
    buy_voucher,
    give_voucher,
    issue_codes,
    issue_vouchers,
    issue_word,
)
from patron.business.vouchers.operations.keeping import (
    Birthdays,
    cancel_all,
    cancel_voucher,
    drop_ended_holds,
    expire_vouchers,
    issue_birthday_vouchers,
    issue_tier_vouchers,
    transfer_voucher,
)
from patron.business.vouchers.operations.using import (
    Returned,
    commit_vouchers,
    note_wrong_codes,
    release_vouchers,
    reserve_vouchers,
    undo_vouchers,
    use_vouchers,
)
from patron.business.vouchers.taking import Given

__all__ = [
    "Birthdays",
    "Given",
    "Issue",
    "Limits",
    "Returned",
    "buy_voucher",
    "cancel_all",
    "cancel_voucher",
    "change_definition",
    "commit_vouchers",
    "define_vouchers",
    "drop_ended_holds",
    "expire_vouchers",
    "give_voucher",
    "issue_birthday_vouchers",
    "issue_codes",
    "issue_tier_vouchers",
    "issue_vouchers",
    "issue_word",
    "note_wrong_codes",
    "release_vouchers",
    "reserve_vouchers",
    "set_issuing",
    "transfer_voucher",
    "undo_vouchers",
    "use_vouchers",
]
