"""Every read of stored value, by topic."""

from patron.business.storedvalue.queries.checks import check_stored_value
from patron.business.storedvalue.queries.daily import (
    DailyStatement,
    DayLine,
    StoredValueLiability,
    daily_statement,
    stored_value_liability,
)
from patron.business.storedvalue.queries.wallets import (
    TENDERS,
    MoneyLine,
    MoneyStatement,
    WalletBalance,
    get_wallet_membership,
    money_statement,
    policies,
    wallet_balance,
    wallet_balances,
)
from patron.business.storedvalue.queries.words import explain, label_of, what_of

__all__ = [
    "TENDERS",
    "DailyStatement",
    "DayLine",
    "MoneyLine",
    "MoneyStatement",
    "StoredValueLiability",
    "WalletBalance",
    "check_stored_value",
    "daily_statement",
    "explain",
    "get_wallet_membership",
    "label_of",
    "money_statement",
    "policies",
    "stored_value_liability",
    "wallet_balance",
    "wallet_balances",
    "what_of",
]
