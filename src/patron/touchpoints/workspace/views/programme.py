"""The programme: what is in force, its versions and settings, and publishing the draft."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patron.business.loyalty.operations import change_programme, create_programme, publish_version
from patron.business.loyalty.queries import tier_counts
from patron.business.loyalty.queries.programmes import (
    get_programme,
    get_programmes,
    list_versions,
    terms_in_force,
)
from patron.business.loyalty.rules.reading import written
from patron.business.loyalty.simulating import last_month
from patron.kernel import clock
from patron.kernel.errors import InvalidInput
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace import programme_draft as drafts
from patron.touchpoints.workspace import programme_words as words
from patron.touchpoints.workspace.forms.customers import refuse
from patron.touchpoints.workspace.forms.programme import PublishForm, SettingsForm, StartForm
from patron.touchpoints.workspace.programme_bench import names_for, warnings_of


@page(permission="loyalty.view", nav="programme")
def programme(request: PageRequest) -> HttpResponseBase:
    """What the programme gives now, its versions, tiers and settings."""
    found = get_programmes(request.actor)
    if not found:
        return _start(request, StartForm())
    wanted = request.GET.get("programme", "")
    return _overview(request, wanted or found[0].code)


@page(permission="loyalty.manage", nav="programme")
@require_POST
def programme_start(request: PageRequest) -> HttpResponseBase:
    """Set up the first programme, with the usual terms."""
    form = StartForm(request.POST)
    if not form.is_valid():
        return _start(request, form, status=422)
    now = clock.now()
    taken = {programme.code for programme in get_programmes(request.actor)}
    code = next(code for code in ("club", *(f"club-{n}" for n in range(2, len(taken) + 3))) if code not in taken)
    name, currency = form.cleaned_data["name"], settings.CURRENCY
    create_programme(code=code, name=name, currency=currency, rules_from=now, actor=request.actor, now=now)
    messages.success(request, _("The programme is set up. Now say what it gives."))
    return redirect("programme-edit", code)


@page(permission="loyalty.manage", nav="programme")
@require_POST
def programme_settings(request: PageRequest, code: str) -> HttpResponseBase:
    """Change what is not a matter of versions."""
    chosen = get_programme(code, request.actor)
    form = SettingsForm(request.POST, auto_id="setting_%s")
    if form.is_valid():
        try:
            change_programme(chosen, actor=request.actor, now=clock.now(), **form.cleaned_data)
        except InvalidInput as error:
            refuse(form, error)
        else:
            messages.success(request, _("The settings are changed."))
            return redirect(f"{reverse('programme')}?programme={code}")
    return _overview(request, code, form)


@page(permission="loyalty.manage", nav="programme")
def programme_publish(request: PageRequest, code: str) -> HttpResponseBase:
    """Publish the draft: what changes, what to think about, and from when."""
    chosen, now = get_programme(code, request.actor), clock.now()
    if chosen.draft is None:
        messages.info(request, _("There is no draft. Change something first."))
        return redirect("programme-edit", code)
    terms, refusal = drafts.read(chosen.draft)
    if terms is None:
        messages.error(request, _("The draft is not finished: %(why)s") % {"why": refusal.words if refusal else ""})
        return redirect(f"{reverse('programme-edit', args=[code])}?part={refusal.key if refusal else ''}")
    form = PublishForm(request.POST or None, auto_id="publish_%s")
    if request.method == "POST" and form.is_valid() and (valid_from := form.valid_from(now)) is not None:
        try:
            publish_version(
                chosen, terms, valid_from=valid_from, note=form.cleaned_data["note"], actor=request.actor, now=now
            )
        except InvalidInput as error:
            form.add_error("moment", str(error.message))
        else:
            messages.success(request, _("Published. Purchases from that moment on earn by these rules."))
            return redirect(f"{reverse('programme')}?programme={code}")
    names = names_for(request.actor, terms)
    before = terms_in_force(chosen, now)
    new, old = (words.sentences(each, chosen.currency, names) for each in (terms, before))
    first, last = last_month(clock.today(now))
    return show(
        request,
        "workspace/pages/programme_publish.html",
        {
            "programme": chosen,
            "form": form,
            "summary": words.summary(terms, chosen.currency, names),
            "comes": [each for each in new if each not in old],
            "goes": [each for each in old if each not in new],
            "warnings": warnings_of(chosen, terms),
            "from_on": first.isoformat(),
            "until_on": last.isoformat(),
        },
        status=422 if form.errors else 200,
    )


def _start(request: PageRequest, form: StartForm, *, status: int = 200) -> HttpResponseBase:
    may = request.actor.can("loyalty.manage")
    return show(request, "workspace/pages/programme_start.html", {"form": form, "may_manage": may}, status=status)


def _overview(request: PageRequest, code: str, refused: SettingsForm | None = None) -> HttpResponseBase:
    found = get_programmes(request.actor)
    chosen = get_programme(code, request.actor)
    form = refused or SettingsForm(
        initial={
            "name": chosen.name,
            "point_value": written(chosen.point_value),
            "four_eyes_above": written(chosen.four_eyes_above),
        },
        auto_id="setting_%s",
    )
    now = clock.now()
    terms = terms_in_force(chosen, now)
    names = names_for(request.actor, terms)
    counts = {each.code: each.members for each in tier_counts(chosen, now)}
    return show(
        request,
        "workspace/pages/programme.html",
        {
            "programme": chosen,
            "programmes": [
                {"label": each.name, "url": f"?programme={each.code}", "current": each.pk == chosen.pk}
                for each in found
            ],
            "summary": words.summary(terms, chosen.currency, names),
            "lines": drafts.lines(terms.as_json(), chosen.currency, names),
            "versions": list_versions(chosen, now),
            "tiers": [
                {
                    "tier": tier,
                    "rank": rank,
                    "members": counts.get(tier.code, 0),
                    "words": words.tier_words(tier, terms.tiers.measure, chosen.currency),
                }
                for rank, tier in enumerate(terms.tiers.ladder, start=1)
            ],
            "without_tier": counts.get("", 0),
            "form": form,
            "may_manage": request.actor.can("loyalty.manage"),
            "at": now,
        },
        status=422 if refused else 200,
    )
