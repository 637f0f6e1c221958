"""The builder of a programme's terms: parts to choose from, the rules as sentences, and what they would have given.

The draft is saved at every change. With HTMX a change brings back the sentence, the words beside its fields, and the
warnings; without it, the page.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patron.business.loyalty.operations import save_draft
from patron.business.loyalty.queries.programmes import get_programme
from patron.business.loyalty.simulating import last_month, simulate
from patron.core.accounts.queries import get_visible_branches
from patron.core.catalog.queries import GoodsSort, find_goods, name_products
from patron.kernel import clock
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace import programme_draft as drafts
from patron.touchpoints.workspace.forms.programme import FORMS, Goods, Offer, PartForm, PeriodForm
from patron.touchpoints.workspace.programme_bench import Bench
from patron.touchpoints.workspace.programme_results import told

SORTS: tuple[GoodsSort, ...] = ("categories", "brands", "products")
PAGE = "workspace/pages/programme_edit.html"


@page(permission="loyalty.manage", nav="programme")
def programme_edit(request: PageRequest, code: str) -> HttpResponseBase:
    """The builder. `?part=` opens one part of the draft; `?find=` and `?q=` search goods where scripts do not."""
    now = clock.now()
    bench = Bench.at(get_programme(code, request.actor), request.actor, now)
    key = request.GET.get("part", "")
    form = _form(bench, key, request.actor) if key else None
    first, last = last_month(clock.today(now))
    period = PeriodForm(initial={"from_on": first, "until_on": last}, auto_id="period_%s")
    return show(
        request,
        PAGE,
        {
            **bench.context(),
            "key": key,
            "groups": _groups(form, bench, key) if form else [],
            "found": _searched(request),
            "is_listed": key.partition("-")[0] in drafts.LISTS,
            "presets": [
                {
                    "title": title,
                    "presets": [preset for preset in drafts.PRESETS if preset.sort == sort],
                }
                for title, sort in ((_("Bonuses"), "bonuses"), (_("Tiers"), "tiers"), (_("Other points"), "events"))
            ],
            "period": period,
        },
    )


@page(permission="loyalty.manage", nav="programme")
@require_POST
def programme_draft(request: PageRequest, code: str) -> HttpResponseBase:
    """Change the draft: `action` is save (the default), add, remove, up, down or discard."""
    now = clock.now()
    chosen = get_programme(code, request.actor)
    bench = Bench.at(chosen, request.actor, now)
    action, key = request.POST.get("action", "save"), request.POST.get("part", "")
    if action == "discard":
        save_draft(chosen, None, actor=request.actor, now=now)
        messages.success(request, _("The draft is thrown away."))
        return redirect(f"{reverse('programme')}?programme={code}")
    draft, key = _changed(bench, request, action, key)
    saved = save_draft(chosen, draft, actor=request.actor, now=now)
    if request.is_fragment:
        after = Bench.at(saved, request.actor, now)
        groups = _groups(_form(after, key, request.actor), after, key)
        for one in (one for group in groups for one in group["fields"] if one["goods"]):
            if f"open_{one['goods']}" in request.POST:
                one["found"] = _goods(request.actor, one["goods"], one["name"], request.POST)
        return show(request, PAGE, {**after.context(), "key": key, "groups": groups}, fragment="saved")
    query = f"?part={key}" if key else ""
    what = request.POST.get("find") or next((sort for sort in SORTS if request.POST.get(f"find_{sort}")), "")
    if what:
        query += f"&find={what}&q={request.POST.get(f'find_{what}', '')[:100]}"
    return redirect(f"{reverse('programme-edit', args=[code])}{query}#part-{key}")


@page(permission="loyalty.manage", nav="programme")
def programme_find(request: PageRequest) -> HttpResponseBase:
    """Goods to tick, whose name holds `find_<sort>`: the answer to a search in the builder, a part of its page."""
    if not getattr(request, "htmx", False):
        return redirect("programme")
    return show(request, PAGE, {"found": _searched(request)}, fragment="goods")


@page(permission="loyalty.manage", nav="programme")
def programme_simulate(request: PageRequest, code: str) -> HttpResponseBase:
    """What the draft would have given in a period, beside what was given."""
    now = clock.now()
    bench = Bench.at(get_programme(code, request.actor), request.actor, now)
    form = PeriodForm(request.GET, auto_id="period_%s")
    context: dict[str, Any] = {"programme": bench.programme, "period": form, "refusal": bench.refusal}
    if bench.terms is not None and form.is_valid():
        found = simulate(bench.programme, bench.terms, now=now, **form.cleaned_data)
        context |= told(found, request.actor)
    status = 422 if form.errors else 200
    return show(request, "workspace/pages/programme_simulation.html", context, fragment="result", status=status)


# --- changing the draft ------------------------------------------------------------------------------------------


def _changed(bench: Bench, request: PageRequest, action: str, key: str) -> tuple[drafts.Draft, str]:
    """The draft after what was asked, and the part to open."""
    match action:
        case "add":
            preset = next((each for each in drafts.PRESETS if each.code == request.POST.get("preset")), None)
            if preset is None:
                raise InvalidInput(_("Choose one of those listed."), details={"field": "preset"})
            return drafts.added(bench.draft, preset)
        case "remove":
            return drafts.removed(bench.draft, key), ""
        case "up" | "down":
            return drafts.moved(bench.draft, key, -1 if action == "up" else 1)
        case _:
            form = _form(bench, key, request.actor, request.POST)
            if not form.is_valid():
                field = next(iter(form.errors))
                raise InvalidInput(_("Choose one of those listed."), details={"field": field})
            return drafts.changed(bench.draft, key, form.settings()), key


def _form(bench: Bench, key: str, actor: Actor, data: Any = None) -> PartForm:
    sort, _place = drafts.split_key(bench.draft, key)
    given = drafts.part(bench.draft, key)
    excluded = given.get("excluded")
    codes = [*(given.get("products") or []), *((excluded or {}).get("products") or [])]
    ladder = (bench.draft.get("tiers") or {}).get("ladder") or []
    offer = Offer(
        branches=[(branch.code, branch.name) for branch in get_visible_branches(actor)],
        tiers=[(str(tier.get("code", "")), str(tier.get("name", ""))) for tier in ladder],
        goods=name_products(actor, codes) if codes and actor.can("catalog.view") else {},
    )
    return FORMS[sort](given, offer, data)


def _groups(form: PartForm, bench: Bench, key: str) -> list[dict[str, Any]]:
    """The fields under their headings, each with what the rules say of it."""
    refusal = bench.refusal if bench.refusal and bench.refusal.key == key else None
    found = []
    for title, names in form.rows:
        fields = [
            {
                "field": form[name],
                "name": name,
                "goods": name.removeprefix("excluded_") if isinstance(form.fields[name], Goods) else "",
                "why": refusal.words if refusal and refusal.field == name else "",
            }
            for name in names
        ]
        found.append({"title": title, "fields": fields})
    return found


def _searched(request: PageRequest) -> dict[str, Any]:
    """The goods found by a search, if one was asked for."""
    sort = next((each for each in SORTS if each == request.GET.get("find")), None)
    if sort is None:
        return {}
    prefix = "excluded_" if request.GET.get("part") == "exclusions" else ""
    return _goods(request.actor, sort, f"{prefix}{sort}", request.GET)


def _goods(actor: Actor, sort: GoodsSort, name: str, asked: QueryDict) -> dict[str, Any]:
    """Goods to tick beside those that are ticked already."""
    text = (asked.get(f"find_{sort}") or asked.get("q", ""))[:100]
    chosen = set(asked.getlist(name))
    goods = [one for one in find_goods(actor, sort, text=text, limit=12 + len(chosen)) if one[0] not in chosen]
    return {"sort": sort, "name": name, "goods": goods[:12], "text": text}
