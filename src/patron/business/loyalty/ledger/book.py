"""The book: what some members hold, under lock, and the movements being prepared for them.

Opening a book locks the members' available accounts in key order and reads their open lots; every entry changes the
picture in memory by the plans of `rules`; closing writes all movements in one statement. One member at the till and ten
thousand returns of an import go the same way.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db import connection

from patron.business.loyalty.errors import InsufficientPoints, NoSuchMember
from patron.business.loyalty.ledger.movements import KIND, Movement, NewLot, write_movements
from patron.business.loyalty.models import Bucket, Unit
from patron.business.loyalty.rules import (
    ZERO,
    OpenLot,
    Short,
    Take,
    after,
    plan_credit,
    plan_expiry,
    plan_spending,
    plan_taking_back,
)
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone, today
from patron.kernel.prepared import fetch


@dataclass(slots=True)
class Pending:
    """A lot that becomes available on a day to come, and the award that opened it."""

    lot: OpenLot
    available_on: date
    award_id: int
    earned_at: datetime


@dataclass(slots=True)
class Holding:
    """What one member holds of the unit: open lots or a debt, never both; and lots that are still pending.

    `accounts` are those of the unit by bucket; `other_accounts` those of other units, `balances` what is
    available of each unit. `opened_by` says which award a
    lot belongs to, for lots that were opened or became available in this book.
    """

    membership_id: int
    customer_id: int
    debt_allowed: bool
    accounts: dict[str, int]
    other_accounts: dict[str, dict[str, int]] = field(default_factory=dict)
    balances: dict[str, Decimal] = field(default_factory=dict)
    debt: Decimal = ZERO
    lots: dict[int, OpenLot] = field(default_factory=dict)
    pending: dict[int, Pending] = field(default_factory=dict)
    opened_by: dict[int, int] = field(default_factory=dict)
    expired_of: dict[int, Decimal] = field(default_factory=dict)

    @property
    def available(self) -> Decimal:
        return sum((lot.remaining for lot in self.lots.values()), ZERO)

    @property
    def balance(self) -> Decimal:
        return self.available - self.debt


SEQUENCES = ("loyalty_ledgertransaction_id_seq", "loyalty_lot_id_seq")
DRAW = "SELECT nextval(%s::regclass) FROM generate_series(1, %s::int)"

LOCK = """
SELECT a.membership_id, m.customer_id, a.overdraft_allowed, a.balance,
    (SELECT jsonb_agg(jsonb_build_array(o.unit, o.bucket, o.id, o.balance::text)) FROM loyalty_account o
     WHERE o.membership_id = a.membership_id)::text,
    nextval('loyalty_ledgertransaction_id_seq'), nextval('loyalty_lot_id_seq')
FROM loyalty_account a JOIN loyalty_membership m ON m.id = a.membership_id
WHERE a.membership_id = ANY(%s::bigint[]) AND a.unit = %s::text AND a.bucket = 'available'
ORDER BY a.id
FOR NO KEY UPDATE OF a
"""

LOTS = """
SELECT account_id, id, expires_on, amount, remaining, available_on, opened_by_id, earned_at
FROM loyalty_lot WHERE account_id = ANY(%s::bigint[]) AND remaining > 0
"""


class Book:
    """Holdings of `membership_ids`, locked until the transaction ends. Call `close` to write the movements.

    `with_lots` False leaves the lots unread: enough for what only comes in.
    """

    def __init__(self, membership_ids: Collection[int], *, unit: str = Unit.POINTS, with_lots: bool = True) -> None:
        self.unit = unit
        self.movements: list[Movement] = []
        self._rolled: dict[int, date] = {}
        self._block = min(max(1, len(membership_ids)), 500)
        self.holdings, self._ids = _lock(membership_ids, unit)
        if with_lots:
            _read_lots(self.holdings)

    def holding(self, membership_id: int) -> Holding:
        """The holding of a member in the book. Raises NoSuchMember for any other."""
        try:
            return self.holdings[membership_id]
        except KeyError:
            raise NoSuchMember(details={"membership": membership_id}) from None

    def next_id(self, sequence: str) -> int:
        """The next id of a ledger table, taken from its sequence in blocks."""
        if not self._ids.get(sequence):
            self._ids[sequence] = [key for (key,) in reversed(fetch(DRAW, [sequence, self._block]))]
        return self._ids[sequence].pop()

    def enter(self, holding: Holding, *, kind: str, request_key: str, occurred_at: datetime) -> Movement:
        """A new movement of nothing yet."""
        movement = Movement(
            id=self.next_id("loyalty_ledgertransaction_id_seq"),
            membership_id=holding.membership_id,
            customer_id=holding.customer_id,
            kind=kind,
            request_key=request_key,
            occurred_at=occurred_at,
            unit=self.unit,
        )
        self.movements.append(movement)
        return movement

    def shift(self, movement: Movement, amount: Decimal, *, source: str, target: str) -> None:
        """Let `amount` go from one bucket without lots (reserved) to another, out of the member's hands."""
        holding = self.holding(movement.membership_id)
        movement.amount -= amount
        movement.sides.append((self._account(holding, target), None, amount))
        movement.sides.append((self._account(holding, source), None, -amount))

    def count(self, movement: Movement, amount: Decimal, *, unit: str) -> None:
        """Let `amount` of a unit that is only counted, never spent (qualifying points), come in or go out: no lots."""
        if not amount:
            return
        holding = self.holding(movement.membership_id)
        movement.unit, movement.amount = unit, movement.amount + amount
        movement.sides.append((self._account(holding, Bucket.ISSUED, unit), None, -amount))
        movement.sides.append((self._account(holding, Bucket.AVAILABLE, unit), None, amount))

    def credit(
        self,
        movement: Movement,
        amount: Decimal,
        *,
        counterpart: str,
        earned_at: datetime,
        expires_on: date | None,
        refill: Iterable[Take] = (),
    ) -> Decimal:
        """Let `amount` come in by `movement`, and return how much of it repaid a debt.

        The debt is repaid first, then the lots named by `refill` are refilled, the rest opens a lot.
        """
        if amount <= 0:
            return ZERO
        holding = self.holding(movement.membership_id)
        plan = plan_credit(
            amount,
            debt=holding.debt,
            refill=[(holding.lots[t.lot_id], t.amount) for t in refill if t.lot_id in holding.lots],
        )
        movement.amount += amount
        available = holding.accounts[Bucket.AVAILABLE]
        movement.sides.append((self._account(holding, counterpart), None, -amount))
        if plan.repaid:
            movement.sides.append((available, None, plan.repaid))
            holding.debt -= plan.repaid
        movement.sides.extend((available, take.lot_id, take.amount) for take in plan.restored)
        _move(holding, plan.restored, sign=1)
        if plan.opened:
            lot = NewLot(self.next_id("loyalty_lot_id_seq"), earned_at, expires_on, plan.opened)
            movement.lots.append((available, lot))
            movement.sides.append((available, lot.id, plan.opened))
            holding.lots[lot.id] = OpenLot(lot.id, expires_on, plan.opened, plan.opened)
            holding.opened_by[lot.id] = movement.origin_id or movement.id
        return plan.repaid

    def credit_pending(
        self, movement: Movement, amount: Decimal, *, earned_at: datetime, expires_on: date | None, available_on: date
    ) -> None:
        """Let `amount` come in by `movement` that becomes available on `available_on`; a debt is repaid only then."""
        if amount <= 0:
            return
        holding = self.holding(movement.membership_id)
        movement.amount += amount
        pending = self._account(holding, Bucket.PENDING)
        lot = NewLot(self.next_id("loyalty_lot_id_seq"), earned_at, expires_on, amount, available_on)
        movement.lots.append((pending, lot))
        movement.sides.append((self._account(holding, Bucket.ISSUED), None, -amount))
        movement.sides.append((pending, lot.id, amount))
        holding.pending[lot.id] = Pending(
            OpenLot(lot.id, expires_on, amount, amount), available_on, movement.id, earned_at
        )

    def refill_pending(self, movement: Movement, takes: Iterable[Take]) -> None:
        """Put back into lots that are still pending what was taken from them."""
        holding = self.holding(movement.membership_id)
        for take in takes:
            movement.amount += take.amount
            movement.sides.append((self._account(holding, Bucket.ISSUED), None, -take.amount))
            movement.sides.append((self._account(holding, Bucket.PENDING), take.lot_id, take.amount))

    def mature(self, holding: Holding, *, on: date) -> None:
        """Let what was pending until day `on` become available: a movement for each lot, at that day's first moment."""
        due = [pending for pending in holding.pending.values() if pending.available_on <= on]
        for pending in sorted(due, key=lambda one: (one.available_on, one.lot.id)):
            del holding.pending[pending.lot.id]
            amount = pending.lot.remaining
            started = datetime.combine(pending.available_on, time(), house_zone()).astimezone(UTC)
            movement = self.enter(
                holding, kind=KIND.MATURE, request_key=f"mature:{pending.lot.id}", occurred_at=started
            )
            movement.origin_id, movement.amount = pending.award_id, amount
            movement.sides.append((self._account(holding, Bucket.PENDING), pending.lot.id, -amount))
            available = holding.accounts[Bucket.AVAILABLE]
            plan = plan_credit(amount, debt=holding.debt)
            if plan.repaid:
                movement.sides.append((available, None, plan.repaid))
                movement.explanation = {"repaid": str(plan.repaid)}
                holding.debt -= plan.repaid
            if plan.opened:
                new = self.next_id("loyalty_lot_id_seq")
                lot = NewLot(new, pending.earned_at, pending.lot.expires_on, plan.opened)
                movement.lots.append((available, lot))
                movement.sides.append((available, new, plan.opened))
                holding.lots[new] = OpenLot(new, pending.lot.expires_on, plan.opened, plan.opened)
                holding.opened_by[new] = pending.award_id

    def roll(self, holding: Holding, *, day: date, until: date | None) -> None:
        """An activity on `day` lets every lot that is still usable then, or pending, live to `until`."""
        if until is None:
            return
        for lot in list(holding.lots.values()):
            if _lives_on(lot, day, until):
                holding.lots[lot.id] = replace(lot, expires_on=until)
                self._rolled[lot.id] = until
        for pending in holding.pending.values():
            if _lives_on(pending.lot, day, until):
                pending.lot = replace(pending.lot, expires_on=until)
                self._rolled[pending.lot.id] = until

    def debit(self, movement: Movement, takes: Iterable[Take], *, counterpart: str) -> None:
        """Let the amounts of `takes` go out by `movement`."""
        taken = tuple(takes)
        amount = sum((take.amount for take in taken), ZERO)
        if amount <= 0:
            return
        holding = self.holding(movement.membership_id)
        available = holding.accounts[Bucket.AVAILABLE]
        movement.amount -= amount
        movement.sides.append((self._account(holding, counterpart), None, amount))
        movement.sides.extend((available, take.lot_id, -take.amount) for take in taken)
        holding.debt += sum((take.amount for take in taken if take.lot_id is None), ZERO)
        _move(holding, taken, sign=-1)

    def expire(self, holding: Holding, *, on: date, not_before: datetime | None = None) -> list[Movement]:
        """Expire what is due by day `on`: a movement for each date of expiry, at the midnight that ended it.

        What was pending until then becomes available first. `not_before`: what only came back then cannot have
        expired earlier.
        """
        if holding.pending:
            self.mature(holding, on=on)
        done: list[Movement] = []
        for expires_on, takes in plan_expiry(holding.lots.values(), on):
            ended = datetime.combine(expires_on + timedelta(days=1), time(), house_zone()).astimezone(UTC)
            movement = self.enter(
                holding, kind=KIND.EXPIRE, request_key="", occurred_at=max(ended, not_before or ended)
            )
            movement.request_key = f"expire:{movement.id}"
            movement.explanation = {"expires_on": expires_on}
            self.debit(movement, takes, counterpart=Bucket.EXPIRED)
            for take in takes:
                if take.lot_id is not None:
                    holding.expired_of[take.lot_id] = holding.expired_of.get(take.lot_id, ZERO) + take.amount
            done.append(movement)
        return done

    def spend(self, movement: Movement, amount: Decimal, *, counterpart: str) -> None:
        """Draw `amount` from the open lots, soonest to expire first. Raises InsufficientPoints."""
        holding = self.holding(movement.membership_id)
        try:
            takes = plan_spending(holding.lots.values(), amount)
        except Short as short:
            raise InsufficientPoints(details={"asked": amount, "available": short.available}) from short
        self.debit(movement, takes, counterpart=counterpart)

    def take_back(self, movement: Movement, amount: Decimal, *, own: Collection[int]) -> Decimal:
        """Take `amount` back, from the lots `own` first, and return how much of it could not be taken.

        What is still pending of the award goes first of all. Where debts are allowed the member then owes the rest;
        where not, it is let go.
        """
        holding = self.holding(movement.membership_id)
        amount -= self._take_pending(movement, amount)
        takes = plan_taking_back(holding.lots.values(), amount, own=own)
        owed = sum((take.amount for take in takes if take.lot_id is None), ZERO)
        if not holding.debt_allowed:
            takes = tuple(take for take in takes if take.lot_id is not None)
        self.debit(movement, takes, counterpart=Bucket.ISSUED)
        return owed

    def _take_pending(self, movement: Movement, amount: Decimal) -> Decimal:
        """Take up to `amount` from the pending lots of the award that `movement` answers to."""
        holding = self.holding(movement.membership_id)
        taken = ZERO
        for pending in [one for one in holding.pending.values() if one.award_id == movement.origin_id]:
            part = min(pending.lot.remaining, amount - taken)
            if part <= 0:
                break
            taken += part
            movement.amount -= part
            movement.sides.append((self._account(holding, Bucket.ISSUED), None, part))
            movement.sides.append((self._account(holding, Bucket.PENDING), pending.lot.id, -part))
            pending.lot = replace(pending.lot, remaining=pending.lot.remaining - part)
            if not pending.lot.remaining:
                del holding.pending[pending.lot.id]
        return taken

    def close(self, *, actor: Actor, now: datetime) -> None:
        """Write the movements entered since the last time."""
        write_movements(self.movements, actor=actor, now=now)
        self.movements = []
        if self._rolled:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE loyalty_lot l SET expires_on = r.until "
                    "FROM unnest(%s::bigint[], %s::date[]) AS r (id, until) WHERE l.id = r.id",
                    [list(self._rolled), list(self._rolled.values())],
                )
            self._rolled = {}

    def _account(self, holding: Holding, bucket: str, unit: str = "") -> int:
        """The member's account in a bucket; opened when first needed (the member's lock is held)."""
        unit = unit or self.unit
        accounts = holding.accounts if unit == self.unit else holding.other_accounts.setdefault(unit, {})
        if bucket not in accounts:
            with connection.cursor() as cursor:
                key: list[int | str] = [holding.membership_id, unit, bucket]
                cursor.execute(
                    "INSERT INTO loyalty_account (membership_id, unit, bucket, balance, overdraft_allowed) "
                    "VALUES (%s, %s, %s, 0, false) ON CONFLICT (membership_id, unit, bucket) DO NOTHING",
                    key,
                )
                cursor.execute("SELECT id FROM loyalty_account WHERE (membership_id, unit, bucket) = (%s, %s, %s)", key)
                (accounts[bucket],) = cursor.fetchall()[0]
        return accounts[bucket]


def day_of(at: datetime) -> date:
    """The day on which something counts: the organisation's calendar day."""
    return today(at)


def _lives_on(lot: OpenLot, day: date, until: date) -> bool:
    return lot.expires_on is not None and day <= lot.expires_on < until and lot.remaining > 0


def _move(holding: Holding, takes: Iterable[Take], *, sign: int) -> None:
    named = {take.lot_id for take in takes if take.lot_id is not None}
    for lot in after([holding.lots[lot_id] for lot_id in named], takes, sign=sign):
        holding.lots[lot.id] = lot


def open_accounts(membership_ids: Iterable[int], *, unit: str = Unit.POINTS) -> None:
    """Give members the accounts that every award needs, where they lack them. Safe to repeat, also concurrently.

    Only points can be owed, and only where the programme allows it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO loyalty_account (membership_id, unit, bucket, balance, overdraft_allowed)
            SELECT m.id, u.unit, b.bucket, 0, b.bucket = 'available' AND u.unit = 'points' AND g.debt <> 'forgive'
            FROM loyalty_membership m
                JOIN loyalty_programme g ON g.id = m.programme_id
                CROSS JOIN (VALUES ('available'), ('issued')) AS b (bucket)
                CROSS JOIN (VALUES (%s)) AS u (unit)
            WHERE m.id = ANY(%s)
            ORDER BY m.id, b.bucket
            ON CONFLICT (membership_id, unit, bucket) DO NOTHING
            """,
            [str(unit), sorted(membership_ids)],
        )


def _lock(membership_ids: Collection[int], unit: str) -> tuple[dict[int, Holding], dict[str, list[int]]]:
    """Lock the members' available accounts, in key order, and name all their accounts. With each member comes an id for
    a movement and one for a lot: most members of a book need just these."""
    rows = fetch(LOCK, [sorted(set(membership_ids)), str(unit)])
    holdings = {}
    for membership_id, customer_id, debt_allowed, balance, accounts, *_drawn in rows:
        by_unit: dict[str, dict[str, int]] = {}
        balances: dict[str, Decimal] = {}
        for of_unit, bucket, account_id, of_account in json.loads(accounts):
            by_unit.setdefault(of_unit, {})[bucket] = account_id
            if bucket == Bucket.AVAILABLE:
                balances[of_unit] = Decimal(of_account)
        holdings[membership_id] = Holding(
            membership_id=membership_id,
            customer_id=customer_id,
            debt_allowed=debt_allowed,
            accounts=by_unit.pop(str(unit)),
            other_accounts=by_unit,
            balances=balances,
            debt=max(-balance, ZERO),
        )
    return holdings, {
        name: [row[place] for row in reversed(rows)] for name, place in zip(SEQUENCES, (5, 6), strict=True)
    }


def _read_lots(holdings: Mapping[int, Holding]) -> None:
    """Read the open lots. A statement of its own: it must see what committed while the lock was waited for."""
    by_account = {holding.accounts[Bucket.AVAILABLE]: holding for holding in holdings.values()}
    pending = {h.accounts[Bucket.PENDING]: h for h in holdings.values() if Bucket.PENDING in h.accounts}
    for account_id, lot_id, expires_on, amount, remaining, available_on, opened_by, earned_at in fetch(
        LOTS, [[*by_account, *pending]]
    ):
        lot = OpenLot(lot_id, expires_on, amount, remaining)
        if account_id in pending:
            pending[account_id].pending[lot_id] = Pending(lot, available_on, opened_by, earned_at)
        else:
            by_account[account_id].lots[lot_id] = lot
