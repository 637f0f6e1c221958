"""The till: quote, commit, void, return, balance, and what an offline till did. A terminal's own key opens it."""

from datetime import datetime
from typing import Any

from ninja import Body, Router

from patron.business.tills.operations import commit_sale, return_goods, void_sale
from patron.business.tills.queries import balance, quote, terminal_of
from patron.business.vouchers.operations import note_wrong_codes
from patron.kernel.errors import DomainError, InvalidInput
from patron.touchpoints.api.endpoints.declaring import needs
from patron.touchpoints.api.gate import ApiRequest
from patron.touchpoints.api.schemas.pos import (
    PosBalanceIn,
    PosBalanceOut,
    PosBatchIn,
    PosBatchItemIn,
    PosBatchOut,
    PosQuoteIn,
    PosQuoteOut,
    PosReturnIn,
    PosReturnOut,
    PosSaleIn,
    PosSaleOut,
    PosVoidIn,
    PosVoidOut,
)

router = Router(tags=["Till"])

SCOPE = needs("tills.sell")
UNKNOWN = "no_such_voucher"


@router.post("/pos/quote", response=PosQuoteOut, summary="Quote a basket", **SCOPE)
def pos_quote(request: ApiRequest, basket: Body[PosQuoteIn]) -> dict[str, Any]:
    """Discounts, points to be earned, vouchers that can be used, and what the cashier may say. Takes nothing."""
    paid = [(payment.kind, payment.amount) for payment in basket.payments]
    quoted = quote(terminal_of(request.actor), basket.basket(), paid=paid, actor=request.actor, now=request.now)
    _count_wrong(request, sum(1 for voucher in quoted["vouchers"] if voucher["refusal"] == UNKNOWN))
    return quoted


@router.post("/pos/commit", response=PosSaleOut, summary="Commit a sale", **SCOPE)
def pos_commit(request: ApiRequest, sale: Body[PosSaleIn]) -> dict[str, Any]:
    """Sell: vouchers, receipt, points and stored value in one go. Safe to send again under the same client_id.
    Vouchers, points and stored value need the scopes `vouchers.use`, `loyalty.spend` and `storedvalue.pay` as well."""
    return _commit(request, sale, None)


@router.post("/pos/void", response=PosVoidOut, summary="Void a sale", **SCOPE)
def pos_void(request: ApiRequest, voided: Body[PosVoidIn]) -> dict[str, Any]:
    """Cancel a sale of this branch as if it had not been. Needs the scope `purchases.void` as well."""
    return _void(request, voided)


@router.post("/pos/return", response=PosReturnOut, summary="Take goods back", **SCOPE)
def pos_return(request: ApiRequest, returned: Body[PosReturnIn]) -> dict[str, Any]:
    """Take lines of a sale back; says what goes back to the customer by which means. Safe to send again."""
    return _return(request, returned, None)


@router.post("/pos/balance", response=PosBalanceOut, summary="Ask a balance", **SCOPE)
def pos_balance(request: ApiRequest, asked: Body[PosBalanceIn]) -> dict[str, Any]:
    """Points, tier, vouchers and stored value of who stands at the till. By POST, so that no card number is logged."""
    return balance(terminal_of(request.actor), asked.member, actor=request.actor, now=request.now)


@router.post("/pos/batch", response=PosBatchOut, summary="Tell what was done offline", **SCOPE)
def pos_batch(request: ApiRequest, batch: Body[PosBatchIn]) -> dict[str, Any]:
    """Transactions of a till that was offline, in any order, any number of times: each is done once, in the order of
    time, and stands or falls by itself."""
    answers: list[dict[str, Any]] = [{} for _ in batch.items]
    for place in sorted(range(len(batch.items)), key=lambda n: (*_order(batch.items[n], request.now), n)):
        answers[place] = _one(request, batch.items[place], batch.sent_at)
    done = sum(1 for answer in answers if answer["status"] == "done")
    return {"done": done, "refused": len(answers) - done, "items": answers}


def _order(item: PosBatchItemIn, now: datetime) -> tuple[datetime, int]:
    """Sales before what undoes them, where both happened at the same moment."""
    if item.sale is not None:
        return item.sale.occurred_at, 0
    if item.returned is not None:
        return item.returned.occurred_at, 1
    return (item.void.occurred_at or now if item.void is not None else now), 2


def _one(request: ApiRequest, item: PosBatchItemIn, sent_at: datetime | None) -> dict[str, Any]:
    told = [one for one in (item.sale, item.returned, item.void) if one is not None]
    client_id = told[0].client_id if told else ""
    try:
        if len(told) != 1:
            raise InvalidInput("Each item is exactly one sale, return or void.", details={"field": "items"})
        if item.sale is not None:
            answer = _commit(request, item.sale, sent_at)
        elif item.returned is not None:
            answer = _return(request, item.returned, sent_at)
        else:
            answer = _void(request, told[0])  # type: ignore[arg-type]
    except DomainError as error:
        problem = {"code": error.code, "status": error.status, "detail": str(error.message), "details": error.details}
        return {"client_id": client_id, "status": "refused", "answer": None, "problem": problem}
    return {"client_id": client_id, "status": "done", "answer": answer, "problem": None}


def _commit(request: ApiRequest, sale: PosSaleIn, sent_at: datetime | None) -> dict[str, Any]:
    try:
        return commit_sale(
            terminal_of(request.actor),
            sale.client_id,
            basket=sale.basket(),
            payments=sale.paid(),
            occurred_at=sale.occurred_at,
            sent_at=sent_at,
            cashier=sale.cashier,
            actor=request.actor,
            now=request.now,
        )
    except InvalidInput as error:
        if error.details.get("refusal") == UNKNOWN:
            _count_wrong(request, 1)
        raise


def _count_wrong(request: ApiRequest, codes: int) -> None:
    """Count voucher codes that nobody has: a terminal that guesses is made to wait."""
    if codes and request.actor.can("vouchers.use"):
        terminal = terminal_of(request.actor).code
        note_wrong_codes(terminal=terminal, count=codes, actor=request.actor, now=request.now)


def _return(request: ApiRequest, returned: PosReturnIn, sent_at: datetime | None) -> dict[str, Any]:
    return return_goods(
        terminal_of(request.actor),
        returned.client_id,
        sale=returned.sale,
        lines=returned.returned(),
        occurred_at=returned.occurred_at,
        sent_at=sent_at,
        cashier=returned.cashier,
        actor=request.actor,
        now=request.now,
    )


def _void(request: ApiRequest, voided: PosVoidIn) -> dict[str, Any]:
    return void_sale(
        terminal_of(request.actor),
        voided.client_id,
        sale=voided.sale,
        occurred_at=voided.occurred_at,
        actor=request.actor,
        now=request.now,
    )
