"""Why: the explanation of a movement, in the reader's language.

Everything said is read from the explanation that the movement itself keeps (numbers and the names that rules had then),
so a year later, and after a rule was renamed or deleted, the words are the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from patron.business.loyalty.models import LedgerTransaction, Unit
from patron.kernel.ui import formats

KIND = LedgerTransaction.Kind


@dataclass(frozen=True, slots=True)
class Working:
    """A line of an award's arithmetic: what counted, the sum in figures, what it gave (empty: nothing alone)."""

    label: str
    sum: str
    gave: str


def explain(transaction: LedgerTransaction) -> str:
    """A few sentences that give the numbers behind a movement, so that anybody can follow the arithmetic."""
    facts = transaction.explanation
    sentences = [_first(transaction), *_limits(facts), *_owed(facts)]
    return " ".join(sentence for sentence in sentences if sentence)


def working_of(transaction: LedgerTransaction) -> Sequence[Working]:
    """The arithmetic of an award by step: what earns, the base, each bonus, limits, rounding. Empty for all others."""
    facts = transaction.explanation
    if transaction.kind != KIND.EARN or "net" not in facts:
        return ()
    lines = [Working(_("Paid"), _number(facts["net"], 2), "")]
    if "eligible" in facts:
        out = Decimal(facts["net"]) - Decimal(facts["eligible"])
        lines.append(
            Working(
                _("Of this earns points"),
                f"{_number(facts['net'], 2)} − {_number(out, 2)} = {_number(facts['eligible'], 2)}",
                "",
            )
        )
    lines.append(Working(_("Base"), _base_sum(facts), _signed(_base_points(transaction))))
    lines.extend(_working_of_step(step) for step in facts.get("steps", ()))
    if "exact" in facts:
        lines.append(Working(_rounding(facts), _number(facts["exact"]), ""))
    if "capped_to" in facts:
        lines.append(Working(_("At most"), _number(facts["capped_to"]), ""))
    lines.append(Working(_("Points given"), "", _signed(transaction.amount)))
    return lines


def _first(transaction: LedgerTransaction) -> str:
    facts = transaction.explanation
    match transaction.kind:
        case KIND.EARN:
            return _earned(transaction)
        case KIND.RETURN | KIND.REFUND:
            return _taken_back(transaction)
        case KIND.EXPIRE:
            return _("%(points)s points could be used until the end of %(day)s.") % {
                "points": _number(-transaction.amount),
                "day": _day(str(facts["expires_on"])),
            }
        case KIND.SPEND:
            if "reserved" in facts:
                return _("%(points)s points that were set aside are redeemed.") % {
                    "points": _number(facts["reserved"])
                } + _reason(facts)
            return _("%(points)s points redeemed.") % {"points": _number(-transaction.amount)} + _reason(facts)
        case KIND.ADJUST:
            return _("Adjusted by hand: %(reason)s.") % {"reason": str(facts.get("reason", "")).rstrip(". ")}
        case KIND.TRANSFER:
            return _transferred(transaction)
        case _:
            return _held(transaction)


def _held(transaction: LedgerTransaction) -> str:
    """Movements between what is pending, available and set aside."""
    facts, points = transaction.explanation, _number(abs(transaction.amount))
    match transaction.kind:
        case KIND.RESERVE if "until" in facts:
            return _("%(points)s points are set aside until %(until)s.") % {
                "points": points,
                "until": formats.instant(datetime.fromisoformat(str(facts["until"])), style="instant_year"),
            } + _reason(facts)
        case KIND.RESERVE:
            return _("%(points)s points are set aside.") % {"points": points} + _reason(facts)
        case KIND.RELEASE:
            return _("%(points)s points that were set aside can be used again.") % {"points": points}
        case KIND.MATURE:
            return _("%(points)s points that were pending can be used from now on.") % {"points": points}
        case _:
            return str(transaction.get_kind_display())


def _transferred(transaction: LedgerTransaction) -> str:
    points = {"points": _number(abs(transaction.amount))}
    if transaction.amount < 0:
        return _("%(points)s points handed to another member.") % points + _reason(transaction.explanation)
    return _("%(points)s points received from another member.") % points + _reason(transaction.explanation)


# --- earned ------------------------------------------------------------------------------------------------------


def _earned(transaction: LedgerTransaction) -> str:
    facts = transaction.explanation
    if "event" in facts:
        event = _("%(points)s given for: %(name)s.") % {
            "points": _amount(transaction.amount, transaction.unit),
            "name": str(facts.get("name") or facts["event"]).rstrip(". "),
        }
        return f"{event}{_available_on(facts)}"
    if "net" not in facts:
        return _("Counted by the same purchase.") if transaction.origin_id else ""
    said = [_base_words(transaction)]
    said.extend(_step_words(step) for step in facts.get("steps", ()))
    if facts.get("steps") and "exact" not in facts:
        said.append(_("Together %(points)s points.") % {"points": _number(transaction.amount)})
    return " ".join(said) + _available_on(facts)


def _base_words(transaction: LedgerTransaction) -> str:
    facts = transaction.explanation
    values = {
        "net": _number(facts.get("eligible", facts["net"]), 2),
        "paid": _number(facts["net"], 2),
        "units": _number(facts["units"]),
        "rate": _number(facts["rate"]),
        "points": _number(_base_points(transaction)),
    }
    if "eligible" in facts and Decimal(facts["eligible"]) <= 0:
        return _("Nothing of the %(paid)s paid earns points.") % values
    if facts["unit"] == "item":
        said = _("%(units)s items; × %(rate)s = %(points)s points.") % values
    else:
        values["unit"] = _number(facts["unit"], 2)
        if Decimal(str(facts["units"])) % 1:
            said = _("%(net)s paid is %(units)s × %(unit)s; × %(rate)s = %(points)s points.") % values
        else:
            said = _("%(net)s paid holds %(units)s whole × %(unit)s; × %(rate)s = %(points)s points.") % values
    if "eligible" in facts:
        return _("Of the %(paid)s paid, %(net)s earns points.") % values + " " + said
    return said


def _base_points(transaction: LedgerTransaction) -> Decimal:
    facts = transaction.explanation
    if "base" in facts:
        return Decimal(str(facts["base"]))
    return Decimal(str(facts["exact"])) if "exact" in facts else transaction.amount


def _base_sum(facts: Mapping[str, Any]) -> str:
    if facts["unit"] == "item":
        return f"{_number(facts['units'])} × {_number(facts['rate'])}"
    paid = _number(facts.get("eligible", facts["net"]), 2)
    return f"{paid} ÷ {_number(facts['unit'], 2)} → {_number(facts['units'])} × {_number(facts['rate'])}"


def _step_words(step: Mapping[str, Any]) -> str:
    """`Birthday: 2 × on 128.90 adds 128 points.`"""
    values = {
        "name": step["name"] or step["code"],
        "amount": _number(step["amount"], 2),
        "units": _number(step["units"]),
        "rate": _number(step["rate"]),
        "points": _amount(Decimal(step["points"]), step.get("unit", Unit.POINTS)),
    }
    match step["effect"]:
        case "multiply":
            said = _("%(name)s: %(rate)s × on %(amount)s adds %(points)s.") % values
        case "per_item":
            said = _("%(name)s: %(units)s items × %(rate)s adds %(points)s.") % values
        case "per_amount":
            said = _("%(name)s: %(units)s units in %(amount)s × %(rate)s adds %(points)s.") % values
        case _:
            said = _("%(name)s adds %(points)s.") % values
    if "uncapped" in step:
        said += " " + _("(%(points)s without its limit.)") % {"points": _number(step["uncapped"])}
    return said


def _working_of_step(step: Mapping[str, Any]) -> Working:
    units, rate = _number(step["units"]), _number(step["rate"])
    match step["effect"]:
        case "multiply":
            done = _("%(rate)s × on %(amount)s") % {"rate": rate, "amount": _number(step["amount"], 2)}
        case "per_item" | "per_amount":
            done = f"{units} × {rate}"
        case _:
            done = ""
    if "uncapped" in step:
        limit = _("%(points)s, at most %(most)s") % {
            "points": _number(step["uncapped"]),
            "most": _number(step["points"]),
        }
        done = f"{done} = {limit}" if done else limit
    gave = Decimal(step["points"])
    words = _signed(gave) if step.get("unit", Unit.POINTS) == Unit.POINTS else _amount(gave, step["unit"])
    return Working(str(step["name"] or step["code"]), done, words)


def _limits(facts: Mapping[str, Any]) -> list[str]:
    said = []
    if "exact" in facts and "net" in facts:
        said.append(
            _("%(rounding)s from %(exact)s.") % {"rounding": _rounding(facts), "exact": _number(facts["exact"])}
            if "capped_to" not in facts
            else _("%(exact)s without the limit of %(most)s.")
            % {"exact": _number(facts["exact"]), "most": _number(facts["capped_to"])}
        )
    return said


def _rounding(facts: Mapping[str, Any]) -> str:
    if "capped_to" in facts:
        return _("Before limits")
    return {"up": _("Rounded up"), "half_up": _("Rounded")}.get(facts.get("rounding", ""), _("Rounded down"))


def _available_on(facts: Mapping[str, Any]) -> str:
    if "available_on" not in facts:
        return ""
    return " " + _("They can be used from %(day)s.") % {"day": _day(str(facts["available_on"]))}


# --- taken back and given back -----------------------------------------------------------------------------------


def _taken_back(transaction: LedgerTransaction) -> str:
    facts = transaction.explanation
    if "net" in facts:
        return _purchase_changed(transaction)
    if "spend" in facts:
        said = _("%(points)s of the points redeemed are given back.") % {"points": _number(transaction.amount)}
        return said + _reason(facts)
    if transaction.kind == KIND.REFUND:
        return _("Counted again, as the purchase stands again.")
    return _("Counted no longer, as the purchase came back.")


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


def _owed(facts: Mapping[str, Any]) -> list[str]:
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


# --- figures -----------------------------------------------------------------------------------------------------


def _reason(facts: Mapping[str, Any]) -> str:
    return f" {facts['reason']}" if facts.get("reason") else ""


def _amount(value: Decimal, unit: str) -> str:
    """`128 points`, `2 stamps`."""
    words = {
        Unit.STAMPS: _("%(number)s stamps"),
        Unit.QUALIFYING: _("%(number)s qualifying points"),
    }.get(Unit(unit), _("%(number)s points"))
    return words % {"number": _number(value)}


def _signed(value: Decimal) -> str:
    return f"+{_number(value)}" if value > 0 else _number(value)


def _number(value: object, places: int | None = None) -> str:
    """With as many decimals as there are, or as told."""
    number = Decimal(str(value))
    if places is None:
        places = max(0, -int(number.normalize().as_tuple().exponent))
    return formats.decimal(number, places)


def _day(iso: str) -> str:
    return formats.day(date.fromisoformat(iso), "day")
