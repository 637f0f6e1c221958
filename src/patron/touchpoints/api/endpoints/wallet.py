"""Stored value: what a member holds, deposits and withdrawals."""

from ninja import Body, Router, Status

from patron.business.storedvalue.operations import deposit, withdraw
from patron.business.storedvalue.queries import get_wallet_membership, money_statement, wallet_balance
from patron.core.customers.queries import get_visible_customer
from patron.touchpoints.api.endpoints.branches import branch_named, own_branch
from patron.touchpoints.api.endpoints.declaring import needs
from patron.touchpoints.api.gate import ApiRequest
from patron.touchpoints.api.schemas.wallet import DepositIn, MoneyMovementOut, WalletOut, WithdrawalIn

LAST = 10

router = Router(tags=["Stored value"])


@router.get("/customers/{number}/wallet", response=WalletOut, summary="Get stored value", **needs("storedvalue.view"))
def get_wallet(request: ApiRequest, number: str) -> WalletOut:
    """What a member holds now. 404 for who is not a member. Needs the scopes `customers.view` and `loyalty.view` as
    well."""
    member = get_wallet_membership(get_visible_customer(number, request.actor), request.actor)
    return WalletOut.of(wallet_balance(member, now=request.now), list(money_statement(member, limit=LAST).lines))


@router.post(
    "/customers/{number}/wallet/deposits",
    response={201: MoneyMovementOut},
    summary="Take a deposit",
    **needs("storedvalue.deposit"),
)
def create_deposit(request: ApiRequest, number: str, given: Body[DepositIn]) -> Status[MoneyMovementOut]:
    """Take a deposit; the bonus it brings follows in the same moment. Safe to send again under the same key. Needs the
    scopes `customers.view`, `loyalty.view` and `storedvalue.view` as well."""
    branch = branch_named(given.branch, request.actor, field="branch") or own_branch(request.actor)
    taken = deposit(
        get_wallet_membership(get_visible_customer(number, request.actor), request.actor),
        given.amount,
        tender=given.tender,
        reference=given.reference,
        request_key=given.request_key,
        branch_id=branch.pk if branch else None,
        terminal=given.terminal,
        cashier=given.cashier,
        actor=request.actor,
        now=request.now,
    )
    return Status(201, MoneyMovementOut.of(taken))


@router.post(
    "/customers/{number}/wallet/withdrawals",
    response={201: MoneyMovementOut},
    summary="Pay out stored value",
    **needs("storedvalue.withdraw"),
)
def create_withdrawal(request: ApiRequest, number: str, given: Body[WithdrawalIn]) -> Status[MoneyMovementOut]:
    """Pay out a member's own money: hand out `paid_out`. Bonus is never paid out. Safe to send again under the same
    key. Needs the scopes `customers.view`, `loyalty.view` and `storedvalue.view` as well."""
    branch = branch_named(given.branch, request.actor, field="branch") or own_branch(request.actor)
    taken = withdraw(
        get_wallet_membership(get_visible_customer(number, request.actor), request.actor),
        given.amount,
        tender=given.tender,
        reason=given.reason,
        pin=given.pin,
        code=given.code,
        request_key=given.request_key,
        branch_id=branch.pk if branch else None,
        terminal=given.terminal,
        cashier=given.cashier,
        actor=request.actor,
        now=request.now,
    )
    return Status(201, MoneyMovementOut.of(taken))
