"""Every write of stored value, by topic."""

from patron.business.storedvalue.operations.depositing import deposit, withdraw
from patron.business.storedvalue.operations.guarding import (
    SentCode,
    freeze,
    send_code,
    set_pin,
    set_wallet_limits,
    unfreeze,
)
from patron.business.storedvalue.operations.paying import pay, refund
from patron.business.storedvalue.operations.policy import set_policy

__all__ = [
    "SentCode",
    "deposit",
    "freeze",
    "pay",
    "refund",
    "send_code",
    "set_pin",
    "set_policy",
    "set_wallet_limits",
    "unfreeze",
    "withdraw",
]
