"""What the till asks: whose terminal this is, a quote, a balance, and the brief of who stands there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patron.business.loyalty.baskets import Basket, MemberFacts
from patron.business.loyalty.ledger.awards import entitlements_of
from patron.business.loyalty.ledger.states import load_states
from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.queries.words import explain
from patron.business.loyalty.rules.earning import Part, is_birthday
from patron.business.loyalty.rules.sales import Sale, decide_sale
from patron.business.loyalty.rules.tiers import Standing, progress, window_at
from patron.business.tills import answers, errors
from patron.business.tills.baskets import Counter, TillBasket, facts_of, find_member, lay_out
from patron.business.tills.models import Terminal
from patron.business.vouchers.queries import vouchers_at_hand
from patron.core.accounts.models import Branch
from patron.core.customers.models import CustomerNote
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone, today
from patron.kernel.errors import PermissionRefused
from patron.kernel.prepared import columns, fetch, fetch_models
from patron.kernel.ui import formats

EXPIRING_DAYS = 30

_TERMINAL = (
    f"SELECT {columns(Terminal, 't')}, {columns(Branch, 'b')} FROM tills_terminal t "  # noqa: S608 (our own columns)
    "JOIN accounts_branch b ON b.id = t.branch_id WHERE t.key_id = %s::bigint AND t.is_active"
)

_EXPIRING = """
SELECT coalesce(sum(l.remaining), 0), min(l.expires_on) FROM loyalty_lot l
    JOIN loyalty_account a ON a.id = l.account_id AND a.unit = 'points' AND a.bucket = 'available'
WHERE a.membership_id = %s::bigint AND l.remaining > 0 AND l.expires_on BETWEEN %s::date AND %s::date
"""


def terminal_of(actor: Actor) -> Terminal:
    """The terminal whose key asks. Raises NoTerminal for a key without one, or whose terminal is out of use."""
    if not actor.can("tills.sell"):
        raise PermissionRefused(details={"permission": "tills.sell"})
    terminal: Terminal | None = None
    if actor.kind == "integration":
        rows = fetch_models([Terminal, Branch], _TERMINAL, [actor.id])
        if rows:
            terminal, branch = rows[0]
            terminal.branch = branch
    if terminal is None:
        raise errors.NoTerminal
    return terminal


def get_visible_terminals(actor: Actor) -> list[Terminal]:
    """The terminals of the actor's branches, by code. Raises PermissionRefused without `tills.sell`."""
    if not (actor.can("tills.sell") or actor.can("tills.manage")):
        raise PermissionRefused(details={"permission": "tills.sell"})
    terminals = Terminal.objects.select_related("branch", "key").order_by("branch__name", "code")
    if actor.branch_ids is not None:
        terminals = terminals.filter(branch_id__in=actor.branch_ids)
    return list(terminals)


@dataclass(frozen=True, slots=True)
class Brief:
    """What the cashier should know of the member: short sentences, the most useful first."""

    say: list[str]
    notes: list[str]


def quote(
    terminal: Terminal,
    basket: TillBasket,
    *,
    actor: Actor,
    now: datetime,
    at: datetime | None = None,
    paid: Sequence[tuple[str, Decimal]] | None = None,
) -> dict[str, Any]:
    """What this basket would cost, earn and redeem just now, and what to say; nothing is taken or kept.

    `paid` is how it is to be paid, as far as that is known, the rest in cash: some means of payment earn less, or more.
    Raises InvalidInput naming the field for what contradicts itself or is not on file, NoSuchMember, NoPrice.
    """
    at = at or now
    membership = find_member(basket.member, actor)
    counter = lay_out(
        basket,
        terminal=terminal,
        membership=membership,
        currency=basket.currency or settings.CURRENCY,
        at=at,
        with_state=True,
        now=now,
    )
    if paid is not None:
        rest = counter.net_amount - sum((amount for _kind, amount in paid), Decimal(0))
        counter.basket = replace(counter.basket, tenders=[*paid, ("cash", rest)] if rest > 0 else list(paid))
    found: dict[str, Any] = {
        "currency": basket.currency or settings.CURRENCY,
        "lines": _lines(counter),
        "gross_amount": str(sum((line.net_amount for line in counter.before), Decimal(0))),
        "voucher_amount": str(counter.voucher_amount),
        "net_amount": str(counter.net_amount),
        "vouchers": [
            {
                "code": check.code or check.typed,
                "name": check.name,
                "amount": str(check.worth.amount),
                "usable": check.is_usable,
                "refusal": check.refusal,
                "words": check.words,
            }
            for check in counter.checks
        ],
        "usable_vouchers": [],
        "say": [],
        "notes": [],
    }
    if membership is None:
        return found | {"say": [_("No card yet? Ask whether they would like to join.")]}
    return found | _of_member(counter, membership, day=today(at), now=now)


def balance(terminal: Terminal, member: str, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """What a member has. Raises as `quote`; MemberNeeded for nobody."""
    membership = find_member(member, actor)
    if membership is None:
        raise errors.MemberNeeded(details={"field": "member"})
    empty = TillBasket(items=())
    counter = _empty_counter(terminal, membership, empty, now)
    return _of_member(counter, membership, day=today(now), now=now)


def _empty_counter(terminal: Terminal, membership: Membership, basket: TillBasket, now: datetime) -> Counter:
    entitlements = entitlements_of(membership.customer_id, basket.currency or settings.CURRENCY, now)
    rulebook = next((rules for member, _programme, rules in entitlements if member == membership.pk), None)
    state = load_states(rulebook, [membership.pk], first=today(now))[membership.pk] if rulebook is not None else None
    return Counter(
        at=now,
        membership=membership,
        rulebook=rulebook,
        state=state,
        before=[],
        lines=[],
        products={},
        basket=Basket(at=now, local=now.astimezone(house_zone()), lines=[], branch=terminal.branch.code),
        facts=MemberFacts(tier=membership.tier, joined_on=membership.joined_on),
        checks=[],
    )


def _lines(counter: Counter) -> list[dict[str, Any]]:
    return [
        {
            "line_no": number,
            "product": line.product_code,
            "name": known.name if (known := counter.products.get(line.product_code)) else line.description,
            "quantity": answers.plain(line.quantity),
            "unit_price": answers.plain(line.unit_price),
            "discount_amount": str(line.discount_amount),
            "net_amount": str(line.net_amount),
        }
        for number, line in enumerate(counter.lines, start=1)
    ]


def _of_member(counter: Counter, membership: Membership, *, day: date, now: datetime) -> dict[str, Any]:
    rulebook = counter.rulebook
    ladder = rulebook.terms.tiers if rulebook is not None else None
    facts = answers.member_facts(membership, day=day, ladder=ladder)
    taken = {check.code for check in counter.checks if check.is_usable}
    vouchers = [
        voucher
        for voucher in vouchers_at_hand(membership, counter.basket, member=counter.facts, now=now)  # type: ignore[arg-type]
        if voucher.code not in taken
    ]
    found: dict[str, Any] = {
        "member": facts,
        "usable_vouchers": [
            {
                "code": voucher.shown_code,
                "name": voucher.name,
                "amount": str(voucher.worth.amount),
                "words": voucher.words or voucher.promise,
                "until": voucher.valid_until,
            }
            for voucher in vouchers
        ],
    }
    if rulebook is not None and counter.state is not None and counter.lines:
        award = decide_sale(rulebook, counter.state, _sale(counter))
        earning = LedgerTransaction(unit="points", kind="earn", amount=award.points, explanation=award.explanation)
        found["points"] = {
            "earned": answers.plain(award.points),
            "stamps": answers.plain(award.stamps),
            "why": [explain(earning)] if award.points else [],
        }
    if rulebook is not None and rulebook.terms.paying is not None:
        most = rulebook.terms.paying.most_for(counter.net_amount, Decimal(facts["balances"]["points"]))
        found["points_can_pay"] = str(most)
        found["points_needed"] = answers.plain(rulebook.terms.paying.points_for(most))
    brief = brief_of(membership, counter, vouchers=len([v for v in vouchers if v.worth.is_usable]), day=day)
    return found | {"say": brief.say, "notes": brief.notes}


def _sale(counter: Counter) -> Sale:
    assert counter.rulebook is not None  # noqa: S101 (asked before)
    parts = counter.rulebook.parts(
        (facts_of(line, counter.products), line.net_amount, line.quantity) for line in counter.lines
    )
    return Sale(
        purchase_id=0,
        at=counter.at,
        day=today(counter.at),
        local=counter.basket.local,
        parts=parts or [Part(0, counter.net_amount)],
        net_amount=counter.net_amount,
        branch=counter.basket.branch,
        channel=counter.basket.channel,
        tenders=counter.basket.tenders,
        visits=_visits(counter),
    )


def _visits(counter: Counter) -> int:
    rulebook, membership = counter.rulebook, counter.membership
    if rulebook is None or membership is None:
        return 0
    if not any(bonus.first_purchase or bonus.every_nth_visit for bonus in rulebook.bonuses):
        return 0
    ((visits,),) = fetch(
        "SELECT count(*) FROM purchases_purchase WHERE customer_id = %s::bigint AND kind = 'sale' "
        "AND status = 'completed' AND occurred_at < %s::timestamptz",
        [membership.customer_id, counter.at],
    )
    return int(visits)


def brief_of(membership: Membership, counter: Counter, *, vouchers: int, day: date) -> Brief:
    """What to say to the member, and what the front desk should know. Three statements."""
    say: list[str] = []
    if is_birthday(membership.customer.birth_on, day, "day"):
        say.append(_("Happy birthday!"))
    elif is_birthday(membership.customer.birth_on, day, "week"):
        say.append(_("Their birthday is this week."))
    if membership.status != Membership.Status.ACTIVE:
        say.append(_("This membership is not active: nothing is earned or redeemed."))
    if vouchers:
        say.append(
            ngettext("One voucher can be used now.", "%(count)s vouchers can be used now.", vouchers)
            % {"count": vouchers}
        )
    say.extend(_nearly_there(membership, counter, day))
    ((points, until),) = fetch(_EXPIRING, [membership.pk, day, day + timedelta(days=EXPIRING_DAYS)])
    if points and until is not None:
        say.append(
            _("%(points)s points expire from %(day)s on.")
            % {"points": formats.decimal(points, 0), "day": formats.day(until, "day")}
        )
    notes = CustomerNote.objects.filter(
        customer_id=membership.customer_id, for_front_desk=True, archived_at__isnull=True
    ).order_by("-written_at")
    brief = [*notes.values_list("text", flat=True)[:5]]
    if membership.customer.preferences:
        brief.insert(0, membership.customer.preferences)
    return Brief(say=say, notes=brief)


def _nearly_there(membership: Membership, counter: Counter, day: date) -> list[str]:
    """How far the next tier is, once this basket counts."""
    if counter.rulebook is None or counter.state is None or not counter.rulebook.terms.tiers.ladder:
        return []
    ladder = counter.rulebook.terms.tiers
    value = counter.state.measured(window_at(ladder, day, membership.joined_on))
    if ladder.measure == "spend":
        value += counter.net_amount
    elif ladder.measure == "visits" and counter.lines:
        value += 1
    standing = Standing(membership.tier, membership.tier_until, membership.tier_invited)
    ahead = progress(ladder, standing, value=value, day=day, joined_on=membership.joined_on)
    if ahead.following is None or ahead.missing is None:
        return []
    if not ahead.missing:
        return [_("With this purchase they reach %(tier)s.") % {"tier": ahead.following.name}]
    words = {
        "qualifying": _("%(missing)s more points to %(tier)s."),
        "spend": _("%(missing)s more to spend to %(tier)s."),
        "visits": _("%(missing)s more visits to %(tier)s."),
    }[ladder.measure]
    places = 2 if ahead.missing % 1 else 0
    return [words % {"missing": formats.decimal(ahead.missing, places), "tier": ahead.following.name}]
