"""Why: the explanation of a movement, in the reader's language."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from patron.business.loyalty.models import LedgerTransaction
from patron.kernel.ui import formats

KIND = LedgerTransaction.Kind


def explain(transaction: LedgerTransaction) -> str:
    """One or two sentences that give the numbers behind a movement, so that anybody can follow the arithmetic."""
    facts = transaction.explanation
    sentences = [_first(transaction), *_owed(facts)]
    return " ".join(sentence for sentence in sentences if sentence)


def _first(transaction: LedgerTransaction) -> str:
    facts = transaction.explanation
    match transaction.kind:
        case KIND.EARN:
            return _("%(net)s paid holds %(units)s whole × %(unit)s; × %(rate)s = %(points)s points.") % {
                "net": _number(facts["net"], 2),
                "units": _number(facts["units"]),
                "unit": _number(facts["unit"], 2),
                "rate": _number(facts["rate"]),
                "points": _number(transaction.amount),
            }
        case KIND.RETURN | KIND.REFUND:
            return _purchase_changed(transaction)
        case KIND.EXPIRE:
            return _("%(points)s points could be used until the end of %(day)s.") % {
                "points": _number(-transaction.amount),
                "day": _day(str(facts["expires_on"])),
            }
        case KIND.SPEND:
            return _("%(points)s points redeemed.") % {"points": _number(-transaction.amount)} + _reason(facts)
        case KIND.ADJUST:
            return _("Adjusted by hand: %(reason)s.") % {"reason": str(facts.get("reason", "")).rstrip(". ")}
        case _:
            return str(transaction.get_kind_display())


def _purchase_changed(transaction: LedgerTransaction) -> str:
    facts = transaction.explanation
    values = {
        "net": _number(facts["net"], 2),
        "net_before": _number(facts["net_before"], 2),
        "points_before": _number(facts["points_before"]),
        "points": _number(abs(transaction.amount)),
    }
    if transaction.kind == KIND.REFUND:
        words = _("The return was voided: %(net)s of the purchase stands again, so %(points)s points are given back.")
        return words % values
    if facts.get("voided"):
        words = _("The purchase was voided: of the %(points_before)s points it gave, %(points)s are taken back.")
    else:
        words = _(
            "%(net)s of %(net_before)s stands after the return: of the %(points_before)s points, %(points)s are taken "
            "back."
        )
    if "expired" in facts:
        values["expired"] = _number(facts["expired"])
        return words % values + " " + _("%(expired)s of them had expired already.") % values
    return words % values


def _owed(facts: dict[str, object]) -> list[str]:
    said = []
    if "repaid" in facts:
        said.append(_("%(points)s of them repay points owed.") % {"points": _number(facts["repaid"])})
    if "owed" in facts:
        said.append(
            _("%(points)s of them had been spent: the next points earned repay them.")
            % {"points": _number(facts["owed"])}
        )
    if Decimal(str(facts.get("forgiven", 0))) > 0:
        said.append(_("%(points)s of them had been spent and are let go.") % {"points": _number(facts["forgiven"])})
    return said


def _reason(facts: dict[str, object]) -> str:
    return f" {facts['reason']}" if facts.get("reason") else ""


def _number(value: object, places: int | None = None) -> str:
    """With as many decimals as there are, or as told."""
    number = Decimal(str(value))
    if places is None:
        places = max(0, -int(number.normalize().as_tuple().exponent))
    return formats.decimal(number, places)


def _day(iso: str) -> str:
    return formats.day(date.fromisoformat(iso), "day")
