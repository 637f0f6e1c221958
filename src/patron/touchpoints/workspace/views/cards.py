"""Designing members' cards: the designs, the editor with its live picture, and what is on cards now."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from patron.business.cards import operations
from patron.business.cards.designs import OCCASIONS, DesignError, parse_design
from patron.business.cards.drawing.keeping import design_png
from patron.business.cards.errors import DesignRefused, PicturesInvalid
from patron.business.cards.queries import get_design, get_designs, get_programmes
from patron.kernel import clock
from patron.kernel.errors import DomainError, NotFound
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.card_pictures import facts_for, group_of, preview_of
from patron.touchpoints.workspace.forms.cards import (
    OCCASION_LABELS,
    PLACEHOLDER_LIST,
    DesignForm,
    NewDesignForm,
    PictureForm,
)


def _asked(request: PageRequest) -> QueryDict:
    """Where the language and occasion of the preview are chosen."""
    return request.POST if request.method == "POST" else request.GET


@page(permission="cards.design", nav="card-designs")
def card_designs(request: PageRequest) -> HttpResponseBase:
    """Every design with its picture; posting a name drafts another."""
    programmes = get_programmes(request.actor)
    form = NewDesignForm(request.POST or None, programmes=[(each.pk, each.name) for each in programmes])
    if request.method == "POST" and form.is_valid():
        programme = next(each for each in programmes if each.pk == form.cleaned_data["programme"])
        try:
            draft = operations.create_design(
                programme, name=form.cleaned_data["name"], spec={}, actor=request.actor, now=clock.now()
            )
        except DomainError as error:
            form.add_error("name", str(error.message))
        else:
            return redirect("card-design", draft.pk)
    designs = list(get_designs(request.actor))
    groups = [group_of(programme, designs) for programme in programmes]
    context = {"form": form, "groups": groups, "active": sum(bool(group["active"]) for group in groups)}
    return show(request, "workspace/pages/card_designs.html", context, status=422 if form.errors else 200)


@page(permission="cards.design", nav="card-designs")
def card_design(request: PageRequest, design_id: int) -> HttpResponseBase:
    """The editor of one version. Saving an active one makes the draft of the next."""
    design = get_design(design_id, request.actor)
    form = DesignForm(request.POST or None, spec=parse_design(design.spec), tier=design.tier)
    if request.method == "POST" and form.is_valid():
        try:
            draft = operations.change_design(
                design,
                spec=form.as_spec(),
                tier=form.cleaned_data["tier"],
                actor=request.actor,
                now=clock.now(),
            )
        except DesignRefused as error:
            form.add_error(form.field_of(str(error.details.get("field", ""))), str(error.message))
        else:
            messages.success(request, _("The draft is saved. Members' cards stay as they are until it is activated."))
            return redirect("card-design", draft.pk)
    return _editor(request, design_id, form)


def _editor(
    request: PageRequest, design_id: int, form: DesignForm, picture_form: PictureForm | None = None
) -> HttpResponseBase:
    design = get_design(design_id, request.actor)
    refused = bool(form.errors or (picture_form and picture_form.errors))
    return show(
        request,
        "workspace/pages/card_design.html",
        {
            "design": design,
            "form": form,
            "picture_form": picture_form or PictureForm(),
            "preview": preview_of(_asked(request), design, parse_design(design.spec)),
            "placeholders": PLACEHOLDER_LIST,
            "occasions": [(code, OCCASION_LABELS[code]) for code in reversed(OCCASIONS)],
            "languages": settings.LANGUAGES,
        },
        status=422 if refused else 200,
    )


@page(permission="cards.design", nav="card-designs")
@require_POST
def card_design_preview(request: PageRequest, design_id: int) -> HttpResponseBase:
    """The picture of what the form says, as a part of the page; what is wrong with it, in words."""
    design = get_design(design_id, request.actor)
    form = DesignForm(request.POST, spec=parse_design(design.spec), tier=design.tier)
    wrong = ""
    spec = parse_design(design.spec)
    if form.is_valid():
        try:
            spec = parse_design(form.as_spec())
        except DesignError:
            wrong = _("This cannot be drawn yet. Saving says what is wrong.")
    else:
        wrong = _("This cannot be drawn yet. Saving says what is wrong.")
    context = {"preview": preview_of(_asked(request), design, spec), "wrong": wrong}
    return show(request, "workspace/partials/card_preview.html", context)


@page(permission="cards.design", nav="card-designs")
@require_POST
def card_design_picture(request: PageRequest, design_id: int) -> HttpResponseBase:
    """Put a logo or a ground picture on the draft, or take it off."""
    design = get_design(design_id, request.actor)
    form = PictureForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            draft = operations.set_design_picture(
                design,
                form.cleaned_data["kind"],
                form.cleaned_data["file"],
                actor=request.actor,
                now=clock.now(),
            )
        except PicturesInvalid as error:
            form.add_error("file", str(error.message))
        else:
            messages.success(request, _("The picture is on the draft."))
            return redirect("card-design", draft.pk)
    return _editor(request, design_id, DesignForm(spec=parse_design(design.spec), tier=design.tier), form)


@page(permission="cards.design", nav="card-designs")
@require_POST
def card_design_decide(request: PageRequest, design_id: int, decision: str) -> HttpResponseBase:
    """Activate a version, retire it, or throw a draft away."""
    design, now = get_design(design_id, request.actor), clock.now()
    match decision:
        case "activate":
            operations.activate_design(design, actor=request.actor, now=now)
            messages.success(request, _("The design is on members' cards now."))
        case "retire":
            operations.retire_design(design, actor=request.actor, now=now)
            messages.success(request, _("The design is no longer on members' cards."))
        case "discard":
            operations.discard_design(design, actor=request.actor, now=now)
            messages.success(request, _("The draft is thrown away."))
            return redirect("card-designs")
        case _:
            raise NotFound
    return redirect("card-design", design.pk)


@page(permission="cards.design", nav="card-designs")
@require_safe
def card_design_picture_file(request: PageRequest, design_id: int) -> HttpResponseBase:
    """The design as a picture, for looking at it large."""
    design = get_design(design_id, request.actor)
    drawn = design_png(design, facts_for(design.programme, tier=design.tier), ppi=300)
    return HttpResponse(drawn, content_type="image/png")
