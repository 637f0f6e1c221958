"""Setting up vouchers and giving them out. Each view runs one operation and goes back to the page of the kind.

A refused form comes back with its words beside the field and status 422.
"""

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from patron.business.vouchers import operations, queries
from patron.business.vouchers.queries import VoucherDefinition
from patron.business.vouchers.rules import RuleError, VoucherTerms
from patron.core.accounts.queries import get_visible_branches
from patron.kernel.clock import now as present
from patron.kernel.errors import Conflict, DomainError, InvalidInput
from patron.kernel.ui import formats
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.forms import vouchers as forms
from patron.touchpoints.workspace.forms.customers import refuse
from patron.touchpoints.workspace.views.vouchers import render_definition, voucher_rows


@page(permission="vouchers.manage", nav="vouchers")
def voucher_new(request: PageRequest) -> HttpResponseBase:
    """A new kind of voucher."""
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        try:
            made = operations.define_vouchers(
                code=form.cleaned_data["code"],
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                terms=form.terms(),
                limits=form.limits(),
                issue=form.issue(),
                actor=request.actor,
                now=present(),
            )
        except InvalidInput as error:
            forms.refuse_terms(form, error)
        except Conflict as error:
            form.add_error("code", str(error))
        else:
            messages.success(request, _("The voucher is set up."))
            return _to(made)
    return _form_page(request, form)


@page(permission="vouchers.manage", nav="vouchers")
def voucher_edit(request: PageRequest, code: str) -> HttpResponseBase:
    """Change a kind of voucher; what it promises only while none is given out."""
    definition = queries.get_definition(code, request.actor)
    form = _form(request, definition)
    if request.method == "POST" and form.is_valid():
        try:
            operations.change_definition(
                definition,
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                terms=form.terms(),
                limits=form.limits(),
                issue=form.issue(),
                actor=request.actor,
                now=present(),
            )
        except InvalidInput as error:
            forms.refuse_terms(form, error)
        except Conflict as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The voucher is changed."))
            return _to(definition)
    return _form_page(request, form)


@page(permission="vouchers.manage", nav="vouchers")
@require_POST
def voucher_preview(request: PageRequest) -> HttpResponseBase:
    """What is in the form so far, as one sentence; nothing is kept."""
    form = forms.DefinitionForm(request.POST, branches=_branches(request))
    form.is_valid()  # what can be read counts, whatever is missing
    return show(request, "workspace/partials/voucher_sentence.html", {"sentence": _sentence(form)})


@page(permission="vouchers.manage", nav="vouchers")
@require_POST
def voucher_issuing(request: PageRequest, code: str) -> HttpResponseBase:
    """Begin or stop giving a kind of voucher out."""
    definition = queries.get_definition(code, request.actor)
    active = request.POST.get("active") == "yes"
    operations.set_issuing(definition, active=active, actor=request.actor, now=present())
    messages.success(
        request,
        _("It is given out again.") if active else _("It is not given out any more. Those given out stay good."),
    )
    return _to(definition)


@page(permission="vouchers.issue", nav="vouchers")
@require_POST
def voucher_give(request: PageRequest, code: str) -> HttpResponseBase:
    """Give a member a voucher by hand."""
    definition = queries.get_definition(code, request.actor)
    form = forms.OnceForm(request.POST, auto_id="give_%s")
    if form.is_valid():
        try:
            operations.give_voucher(
                definition,
                queries.find_member(form.cleaned_data["member"], request.actor),
                request_key=form.cleaned_data["request_key"],
                actor=request.actor,
                now=present(),
            )
        except DomainError as error:
            form.add_error("member", str(error))
        else:
            messages.success(request, _("The voucher is given."))
            return _to(definition)
    return render_definition(request, definition, bound={"give_form": form}, status=422)


@page(permission="vouchers.buy", nav="vouchers")
@require_POST
def voucher_sell(request: PageRequest, code: str) -> HttpResponseBase:
    """Sell a member a voucher for points."""
    definition = queries.get_definition(code, request.actor)
    form = forms.OnceForm(request.POST, auto_id="give_%s")
    if form.is_valid():
        try:
            bought = operations.buy_voucher(
                definition,
                queries.find_member(form.cleaned_data["member"], request.actor),
                request_key=form.cleaned_data["request_key"],
                actor=request.actor,
                now=present(),
            )
        except DomainError as error:
            form.add_error("member", str(error))
        else:
            done = _("The points are taken. The voucher is %(code)s.") % {"code": bought.shown_code}
            messages.success(request, done)
            return _to(definition)
    return render_definition(request, definition, bound={"give_form": form}, status=422)


@page(permission="vouchers.codes", nav="vouchers")
@require_POST
def voucher_make_codes(request: PageRequest, code: str) -> HttpResponseBase:
    """Make codes for whoever holds them."""
    definition = queries.get_definition(code, request.actor)
    form = forms.CodesForm(request.POST, auto_id="codes_%s")
    if form.is_valid():
        given = form.cleaned_data
        try:
            if given["word"]:
                made = operations.issue_word(definition, given["word"], actor=request.actor, now=present())
                done = _("The code %(code)s can be used.") % {"code": made.shown_code}
            else:
                count = operations.issue_codes(
                    definition, given["count"], request_key=given["request_key"], actor=request.actor, now=present()
                )
                done = ngettext("%(count)s code is made.", "%(count)s codes are made.", count) % {
                    "count": formats.count(count)
                }
        except InvalidInput as error:
            refuse(form, error)
        except Conflict as error:
            form.add_error("word" if given["word"] else "count", str(error))
        else:
            messages.success(request, done)
            return _to(definition)
    return render_definition(request, definition, bound={"codes_form": form}, status=422)


@page(permission="vouchers.manage", nav="vouchers")
@require_POST
def voucher_cancel_all(request: PageRequest, code: str) -> HttpResponseBase:
    """Take back every voucher of a kind that can still be used."""
    definition = queries.get_definition(code, request.actor)
    form = forms.ReasonForm(request.POST, auto_id="cancel_%s")
    if not form.is_valid():
        return render_definition(request, definition, bound={"cancel_form": form}, status=422)
    count = operations.cancel_all(definition, reason=form.cleaned_data["reason"], actor=request.actor, now=present())
    messages.success(
        request,
        ngettext("%(count)s voucher is cancelled.", "%(count)s vouchers are cancelled.", count)
        % {"count": formats.count(count)},
    )
    return _to(definition)


@page(permission="vouchers.view", nav="vouchers")
def voucher(request: PageRequest, voucher_id: int) -> HttpResponseBase:
    """One voucher: what it promises and how it stands."""
    return _voucher_page(request, voucher_id)


@page(permission="vouchers.issue", nav="vouchers")
@require_POST
def voucher_transfer(request: PageRequest, voucher_id: int) -> HttpResponseBase:
    """Hand a voucher over to another member."""
    form = forms.GiveForm(request.POST, auto_id="hand_%s")
    if form.is_valid():
        try:
            given = queries.get_voucher(voucher_id, request.actor)
            operations.transfer_voucher(
                given,
                queries.find_member(form.cleaned_data["member"], request.actor),
                actor=request.actor,
                now=present(),
            )
        except DomainError as error:
            form.add_error("member", str(error))
        else:
            messages.success(request, _("The voucher is handed over."))
            return HttpResponseRedirect(reverse("voucher", args=[voucher_id]))
    return _voucher_page(request, voucher_id, hand_form=form)


@page(permission="vouchers.issue", nav="vouchers")
@require_POST
def voucher_cancel(request: PageRequest, voucher_id: int) -> HttpResponseBase:
    """Take a voucher back."""
    form = forms.ReasonForm(request.POST, auto_id="cancel_%s")
    if form.is_valid():
        try:
            operations.cancel_voucher(
                queries.get_voucher(voucher_id, request.actor),
                reason=form.cleaned_data["reason"],
                actor=request.actor,
                now=present(),
            )
        except DomainError as error:
            form.add_error("reason", str(error))
        else:
            messages.success(request, _("The voucher is cancelled."))
            return HttpResponseRedirect(reverse("voucher", args=[voucher_id]))
    return _voucher_page(request, voucher_id, cancel_form=form)


def _voucher_page(request: PageRequest, voucher_id: int, **bound: Form) -> HttpResponseBase:
    given = queries.get_voucher(voucher_id, request.actor)
    line = queries.find_voucher(given.code, request.actor, now=present())
    (row,) = voucher_rows([line], request)
    return show(
        request,
        "workspace/pages/voucher_one.html",
        {
            "row": row,
            "line": line,
            "currency": line.terms.currency,
            "may_issue": request.actor.can("vouchers.issue"),
            "hand_form": forms.GiveForm(auto_id="hand_%s"),
            "cancel_form": forms.ReasonForm(auto_id="cancel_%s"),
            "now": present(),
            **bound,
        },
        status=422 if bound else 200,
    )


def _form(request: PageRequest, definition: VoucherDefinition | None = None) -> forms.DefinitionForm:
    return forms.DefinitionForm(
        request.POST if request.method == "POST" else None,
        branches=_branches(request),
        definition=definition,
        initial=forms.values_of(definition) if definition else None,
    )


def _form_page(request: PageRequest, form: forms.DefinitionForm) -> HttpResponseBase:
    definition = form.definition
    return show(
        request,
        "workspace/pages/voucher_form.html",
        {
            "form": form,
            "definition": definition,
            "is_frozen": definition is not None and definition.issued > 0,
            "sentence": _sentence(form) if form.is_bound else _promised(definition),
        },
        status=422 if form.is_bound else 200,
    )


def _sentence(form: forms.DefinitionForm) -> str:
    """What the form promises so far, once it was checked; empty while it cannot be read."""
    try:
        return queries.sentence(VoucherTerms.read({"currency": settings.CURRENCY, **form.terms()}))
    except (KeyError, RuleError):
        return ""


def _promised(definition: VoucherDefinition | None) -> str:
    return queries.sentence(VoucherTerms.read(definition.terms)) if definition else ""


def _branches(request: PageRequest) -> list[tuple[str, str]]:
    return [(branch.code, branch.name) for branch in get_visible_branches(request.actor)]


def _to(definition: VoucherDefinition) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("voucher-definition", args=[definition.code]))
