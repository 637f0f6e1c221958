"""Settings: the audit trail."""

from django.http.response import HttpResponseBase

from patron.core.accounts.registers import AuditFilter, audit_trail
from patron.kernel.ui.pages import PageRequest, page, show


@page(permission="accounts.audit", nav="audit-trail")
def audit(request: PageRequest) -> HttpResponseBase:
    """Who did what, when, to what: newest first."""
    wanted = AuditFilter.from_query(request.GET.dict())
    after = request.GET.get("after", "")
    found = audit_trail(request.actor, wanted, before_id=int(after) if after.isdecimal() else None)
    query = request.GET.copy()
    query["after"] = str(found.older)
    context = {
        "entries": found.entries,
        "wanted": wanted,
        "filtered": wanted != AuditFilter(),
        "next_url": f"?{query.urlencode()}" if found.older is not None else "",
        "first_url": "?" if after else "",
    }
    return show(request, "accounts/pages/audit.html", context)
