"""The shelves of a branch: what lies there, what came, and what was counted."""

from typing import Any

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from patron.business.gifts import operations
from patron.business.gifts.queries import get_gift, movements_of, shelves_of_branch, shelves_of_gift
from patron.core.accounts.queries import get_visible_branches
from patron.kernel.clock import now as present
from patron.kernel.errors import Conflict, InvalidInput, NotFound
from patron.kernel.ui.context import shell
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.forms.gifts import CountForm, ReceiveForm, refuse_field


def branch_at(request: PageRequest) -> Any:
    """The branch named in the address, else the one chosen in the top bar, else None where there are several."""
    branches = {branch.code: branch for branch in get_visible_branches(request.actor)}
    named = request.GET.get("branch", "") or request.POST.get("branch", "")
    if named:
        if named not in branches:
            raise NotFound(_("This branch is not one of yours."))
        return branches[named]
    chosen = shell(request)["shell"].branch
    return next((branch for branch in branches.values() if chosen and branch.pk == chosen.id), None)


@page(permission="gifts.view", nav="gift-stock")
def stock(request: PageRequest) -> HttpResponseBase:
    """What lies in a branch, the scarcest first, with the latest movements."""
    branches = get_visible_branches(request.actor)
    branch = branch_at(request) or next(iter(branches), None)
    rows = shelves_of_branch(branch, request.actor) if branch else []
    return show(
        request,
        "workspace/pages/gift_stock.html",
        {
            "branch": branch,
            "tabs": [
                {"label": each.name, "url": f"?{urlencode({'branch': each.code})}", "current": each == branch}
                for each in branches
            ],
            "rows": rows,
            "low": sum(row.is_low for row in rows),
            "pieces": sum(row.on_hand for row in rows),
            "reserved": sum(row.reserved for row in rows),
            "movements": movements_of(branch, request.actor) if branch else (),
            "may_move": request.actor.can("gifts.stock"),
            "may_manage": request.actor.can("gifts.manage"),
            "as_of": present(),
        },
    )


@page(permission="gifts.stock", nav="gift-stock")
def shelf(request: PageRequest, branch: str, code: str) -> HttpResponseBase:
    """One shelf: pieces that came are received, a count is entered with its reason."""
    place = {each.code: each for each in get_visible_branches(request.actor)}.get(branch)
    if place is None:
        raise NotFound(_("This branch is not one of yours."))
    gift = get_gift(code, request.actor)
    bound: dict[str, Any] = {}
    if request.method == "POST":
        correcting = "counted" in request.POST
        form = CountForm(request.POST, auto_id="count_%s") if correcting else ReceiveForm(request.POST)
        bound = {"count_form" if correcting else "receive_form": form}
        if form.is_valid():
            try:
                words = _moved(request, gift, place, form.cleaned_data, correcting=correcting)
            except (InvalidInput, Conflict) as error:
                refuse_field(form, error)
            else:
                messages.success(request, words)
                return redirect(f"{reverse('gift-stock')}?{urlencode({'branch': place.code})}")
    fresh = {"request_key": get_random_string(24)}
    return show(
        request,
        "workspace/pages/gift_shelf.html",
        {
            "gift": gift,
            "branch": place,
            "shelf": next(row for row in shelves_of_gift(gift, request.actor) if row.branch == place),
            "receive_form": ReceiveForm(initial=fresh),
            "count_form": CountForm(initial=fresh, auto_id="count_%s"),
            "movements": movements_of(place, request.actor, gift=gift),
            **bound,
        },
        status=422 if bound else 200,
    )


def _moved(request: PageRequest, gift: Any, branch: Any, given: dict[str, Any], *, correcting: bool) -> str:
    """Move the shelf, and say what was done."""
    names = {"gift": gift.local_name, "branch": branch.name}
    if not correcting:
        operations.receive_stock(
            gift,
            branch,
            given["quantity"],
            reason=given["note"],
            request_key=f"stock {given['request_key']}",
            actor=request.actor,
            now=present(),
        )
        return _("%(quantity)s of %(gift)s were put on the shelf in %(branch)s.") % {
            **names, "quantity": given["quantity"]
        }  # fmt: skip
    moved = operations.correct_stock(
        gift,
        branch,
        counted=given["counted"],
        reason=given["reason"],
        request_key=f"count {given['request_key']}",
        actor=request.actor,
        now=present(),
    )
    if moved is None:
        return _("The count agrees with what was on file.")
    return _("%(gift)s in %(branch)s is now %(quantity)s.") % {**names, "quantity": given["counted"]}
