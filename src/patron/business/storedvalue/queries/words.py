"""What a movement of money was, in the reader's language."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from patron.business.loyalty.models import LedgerTransaction
from patron.business.storedvalue.models import Tender, What
from patron.kernel.ui import formats


def label_of(transaction: LedgerTransaction) -> str:
    """Deposit, Bonus, Payment …"""
    return str(What(what_of(transaction)).label)


def what_of(transaction: LedgerTransaction) -> str:
    """The code of what it was (`models.What`)."""
    return str(transaction.explanation.get("what", What.EXPIRY))


def explain(transaction: LedgerTransaction) -> str:
    """One or two sentences with the numbers behind a movement."""
    facts = transaction.explanation
    match what_of(transaction):
        case What.DEPOSIT:
            return _("Deposited: %(tender)s.") % {"tender": _tender(facts)} + _after(facts.get("reference"))
        case What.BONUS:
            return _("%(percent)s %% of %(amount)s: deposits of %(least)s or more bring this bonus.") % {
                "percent": _plain(facts["percent"]),
                "amount": _money(transaction.basis_amount),
                "least": _money(facts["from_amount"]),
            }
        case What.PAYMENT:
            return _paid(transaction)
        case What.REFUND:
            return _("Refunded to where it came from.") + _after(facts.get("reason"))
        case What.WITHDRAWAL:
            return _withdrawn(transaction)
        case What.BONUS_BACK:
            return _("%(money)s of the deposit was withdrawn: the bonus it brought goes with it.") % {
                "money": _money(facts["withdrawn"])
            }
        case _:
            return _("Bonus that could be used until the end of %(day)s.") % {
                "day": formats.day(date.fromisoformat(str(facts["expires_on"])), "day")
            }


def _paid(transaction: LedgerTransaction) -> str:
    facts = transaction.explanation
    bonus, own = Decimal(str(facts["bonus"])), -transaction.amount - Decimal(str(facts["bonus"]))
    if not bonus:
        said = _("Paid with own money.")
    elif not own:
        said = _("Paid with bonus.")
    else:
        said = _("Paid: %(bonus)s of it bonus, %(own)s own money.") % {"bonus": _money(bonus), "own": _money(own)}
    receipt = facts.get("asked", {}).get("receipt", "")
    return said + (_(" Receipt %(receipt)s.") % {"receipt": receipt} if receipt else "")


def _withdrawn(transaction: LedgerTransaction) -> str:
    facts = transaction.explanation
    said = [_("Paid out %(money)s: %(tender)s.") % {"money": _money(facts["paid_out"]), "tender": _tender(facts)}]
    if "fee" in facts:
        said.append(_("Fee %(money)s.") % {"money": _money(facts["fee"])})
    if "charged" in facts:
        said.append(_("%(money)s kept for bonus that had been spent.") % {"money": _money(facts["charged"])})
    return " ".join(said) + _after(facts.get("reason"))


def _tender(facts: dict[str, object]) -> str:
    tender = str(facts.get("tender", ""))
    return str(Tender(tender).label) if tender in Tender.values else tender


def _after(text: object) -> str:
    return f" {text}" if text else ""


def _money(value: object) -> str:
    return formats.money(Decimal(str(value)), places=2)


def _plain(value: object) -> str:
    number = Decimal(str(value))
    return formats.decimal(number, max(0, -int(number.normalize().as_tuple().exponent)))
