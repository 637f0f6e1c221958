"""The book: what some members hold, under lock, and the movements being prepared for them.

Opening a book locks the members' available accounts in key order and reads their open lots; every entry changes the
picture in memory by the plans of `rules`; closing writes all movements in one statement. One member at the till and ten
thousand returns of an import go the same way.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Holding:
    """What one member holds of the unit: open lots or a debt, never both."""

    membership_id: int
    customer_id: int
    debt_allowed: bool
    accounts: dict[str, int]
    debt: Decimal = ZERO
    lots: dict[int, OpenLot] = field(default_factory=dict)
    expired_of: dict[int, Decimal] = field(default_factory=dict)

    @property
    def available(self) -> Decimal:
        return sum((lot.remaining for lot in self.lots.values()), ZERO)

    @property
    def balance(self) -> Decimal:
        return self.available - self.debt


class Book:
    """Holdings of `membership_ids`, locked until the transaction ends. Call `close` to write the movements."""

    def __init__(self, membership_ids: Collection[int], *, unit: str = Unit.POINTS) -> None:
        self.unit = unit
        self.movements: list[Movement] = []
        self._ids: dict[str, list[int]] = {}
        self._block = min(max(1, len(membership_ids)), 500)
        self.holdings = _lock(membership_ids, unit)
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
            with connection.cursor() as cursor:
                cursor.execute("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, self._block])
                self._ids[sequence] = [row[0] for row in reversed(cursor.fetchall())]
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
        )
        self.movements.append(movement)
        return movement

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
        return plan.repaid

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

        `not_before`: what only came back then cannot have expired earlier.
        """
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

        Where debts are allowed the member then owes it; where not, it is let go.
        """
        holding = self.holding(movement.membership_id)
        takes = plan_taking_back(holding.lots.values(), amount, own=own)
        owed = sum((take.amount for take in takes if take.lot_id is None), ZERO)
        if not holding.debt_allowed:
            takes = tuple(take for take in takes if take.lot_id is not None)
        self.debit(movement, takes, counterpart=Bucket.ISSUED)
        return owed

    def close(self, *, actor: Actor, now: datetime) -> None:
        """Write the movements entered since the last time."""
        write_movements(self.movements, unit=self.unit, actor=actor, now=now)
        self.movements = []

    def _account(self, holding: Holding, bucket: str) -> int:
        """The member's account in a bucket; opened when first needed (the member's lock is held)."""
        if bucket not in holding.accounts:
            with connection.cursor() as cursor:
                key: list[int | str] = [holding.membership_id, self.unit, bucket]
                cursor.execute(
                    "INSERT INTO loyalty_account (membership_id, unit, bucket, balance, overdraft_allowed) "
                    "VALUES (%s, %s, %s, 0, false) ON CONFLICT (membership_id, unit, bucket) DO NOTHING",
                    key,
                )
                cursor.execute("SELECT id FROM loyalty_account WHERE (membership_id, unit, bucket) = (%s, %s, %s)", key)
                (holding.accounts[bucket],) = cursor.fetchall()[0]
        return holding.accounts[bucket]


def day_of(at: datetime) -> date:
    """The day on which something counts: the organisation's calendar day."""
    return today(at)


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
            SELECT m.id, u.unit, b.bucket, 0, b.bucket = 'available' AND u.unit = 'points' AND g.allow_debt
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


def _lock(membership_ids: Collection[int], unit: str) -> dict[int, Holding]:
    """Lock the members' available accounts, in key order, and name all their accounts of the unit."""
    wanted = sorted(set(membership_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.membership_id, m.customer_id, a.overdraft_allowed, a.balance,
                (SELECT jsonb_object_agg(o.bucket, o.id) FROM loyalty_account o
                 WHERE o.membership_id = a.membership_id AND o.unit = a.unit)
            FROM loyalty_account a JOIN loyalty_membership m ON m.id = a.membership_id
            WHERE a.membership_id = ANY(%s) AND a.unit = %s AND a.bucket = 'available'
            ORDER BY a.id
            FOR NO KEY UPDATE OF a
            """,
            [wanted, str(unit)],
        )
        rows = cursor.fetchall()
    return {
        membership_id: Holding(
            membership_id=membership_id,
            customer_id=customer_id,
            debt_allowed=debt_allowed,
            accounts=json.loads(accounts),
            debt=max(-balance, ZERO),
        )
        for membership_id, customer_id, debt_allowed, balance, accounts in rows
    }


def _read_lots(holdings: Mapping[int, Holding]) -> None:
    """Read the open lots. A statement of its own: it must see what committed while the lock was waited for."""
    by_account = {holding.accounts[Bucket.AVAILABLE]: holding for holding in holdings.values()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, id, expires_on, amount, remaining FROM loyalty_lot "
            "WHERE account_id = ANY(%s) AND remaining > 0",
            [list(by_account)],
        )
        for account_id, lot_id, expires_on, amount, remaining in cursor.fetchall():
            by_account[account_id].lots[lot_id] = OpenLot(lot_id, expires_on, amount, remaining)
