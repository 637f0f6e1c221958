"""All that the ledger says of some members, free of row ids, so that two ledgers can be compared."""

from collections.abc import Sequence

from patron.business.loyalty.models import Account, LedgerTransaction, Lot, Membership, Posting, TierChange
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.tests.explaining import explains_itself
from patron.business.purchases.models import Purchase
from patron.core.activities.models import Activity


def ledger_of(members: Sequence[Membership], written: Sequence[Purchase]) -> dict[str, object]:
    """Movements, lots, postings, balances, changes of tier and activities, with places in the history for ids."""
    assert [check.code for check in check_ledger() if not check.holds] == []
    person = {member.pk: place for place, member in enumerate(members)}
    receipt = {purchase.pk: place for place, purchase in enumerate(written)} | {None: None}
    rules = sorted(set(LedgerTransaction.objects.values_list("rule_id", flat=True)) - {None})
    movements = []
    place: dict[int, tuple[object, ...]] = {}
    for t in LedgerTransaction.objects.filter(membership__in=members).select_related("origin").order_by("pk"):
        explanation = t.explanation | ({"rule": rules.index(t.rule_id)} if t.rule_id else {})
        if t.kind == "earn" and t.unit == "points":
            assert explains_itself(t), t.explanation
        origin = t.origin and (t.origin.unit, receipt[t.origin.purchase_id])
        place[t.pk] = (person[t.membership_id], t.unit, t.kind, receipt[t.purchase_id], t.occurred_at, t.amount)
        movements.append((place[t.pk], t.basis_amount, origin, sorted(explanation.items(), key=str)))
    lot_of = {
        lot.pk: (place[lot.opened_by_id], lot.expires_on, lot.available_on, lot.earned_at, lot.amount)
        for lot in Lot.objects.all()
    } | {None: None}
    return {
        "movements": sorted(movements, key=str),
        "lots": sorted(((lot_of[lot.pk], lot.remaining) for lot in Lot.objects.all()), key=str),
        "postings": sorted(
            (
                (place[p.transaction_id], p.line_no, p.account.bucket, p.amount, lot_of[p.lot_id])
                for p in Posting.objects.select_related("account")
            ),
            key=str,
        ),
        "balances": sorted(
            (person[a.membership_id], a.unit, a.bucket, a.balance) for a in Account.objects.exclude(balance=0)
        ),
        "tiers": [
            (
                (person[c.membership_id], c.before, c.after, c.reason, c.effective_at, c.until, c.measure, c.value),
                (c.threshold, c.window_from, c.window_until, receipt[c.purchase_id]),
            )
            for c in TierChange.objects.order_by("membership_id", "pk")
        ],
        "held": [
            (m.tier, m.tier_since, m.tier_until) for m in Membership.objects.filter(pk__in=person).order_by("pk")
        ],
        "activities": sorted(
            (
                (a.kind, a.occurred_at, receipt[a.facts.get("purchase")],
                 sorted((k, v) for k, v in a.facts.items() if k != "purchase"))
                for a in Activity.objects.filter(kind__regex=r"^(points\.|stamps\.|loyalty\.tier)")
            ),
            key=str,
        ),
    }  # fmt: skip
