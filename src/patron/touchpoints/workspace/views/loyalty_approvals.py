"""Adjustments that wait for a second person."""

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patron.business.loyalty.operations import decide_approval
from patron.business.loyalty.queries import decided_approvals, get_approval, waiting_approvals
from patron.core.accounts.names import names_of_actors
from patron.kernel import clock
from patron.kernel.errors import DomainError
from patron.kernel.ui.pages import PageRequest, page, show


@page(permission="loyalty.approve", nav="approvals")
def approvals(request: PageRequest) -> HttpResponseBase:
    """What waits, oldest first, and what was decided lately."""
    waiting, decided = waiting_approvals(request.actor), decided_approvals(request.actor)
    names = names_of_actors(
        reference for each in (*waiting, *decided) for reference in (each.asked_by, each.decided_by)
    )
    return show(
        request,
        "workspace/pages/loyalty_approvals.html",
        {
            "waiting": [
                {
                    "approval": each,
                    "who": names[each.asked_by],
                    "is_own": each.asked_by == request.actor.reference,
                }
                for each in waiting
            ],
            "decided": [
                {"approval": each, "who": names[each.asked_by], "by": names[each.decided_by]} for each in decided
            ],
            "points": sum(abs(each.points) for each in waiting),
            "may_approve": request.actor.can("loyalty.approve"),
            "as_of": clock.now(),
        },
    )


@page(permission="loyalty.approve", nav="approvals")
@require_POST
def approval_decide(request: PageRequest, approval_id: int) -> HttpResponseBase:
    """Approve (`decision=approve`) or refuse; whoever asked cannot decide."""
    approval = get_approval(approval_id, request.actor)
    approve = request.POST.get("decision") == "approve"
    try:
        decide_approval(approval, approve=approve, actor=request.actor, now=clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("Approved: the points are adjusted.") if approve else _("Refused."))
    return redirect("approvals")
