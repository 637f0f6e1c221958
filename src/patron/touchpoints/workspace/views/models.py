"""How customers are judged: every parameter of the models, visible and adjustable."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from patron.intelligence.insights.operations import change_model_parameters, request_refresh
from patron.intelligence.insights.queries import ModelSettings, ParameterSetting, get_model_settings
from patron.kernel import clock
from patron.kernel.errors import InvalidInput
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.model_words import choice_of, label_of, title_of

Value = int | float | str | bool


@page(permission="insights.parameters", nav="model-settings")
def model_settings(request: PageRequest) -> HttpResponseBase:
    """The models with their parameters; posting a model's form changes them and has the figures made anew."""
    models = get_model_settings()
    if request.method == "POST":
        return _changed(request, models)
    return show(
        request,
        "workspace/pages/models.html",
        {
            "models": [
                {
                    "settings": model,
                    "title": title_of(model.name, model.title),
                    "hourly": model.hourly,
                    "changed": any(each.is_changed for each in model.parameters),
                    "parameters": [
                        {
                            "setting": each,
                            "label": label_of(model.name, each.name, each.doc),
                            "id": f"{model.name}-{each.name}",
                            "choices": [(choice, choice_of(choice)) for choice in each.choices],
                        }
                        for each in model.parameters
                    ],
                }
                for model in models
            ]
        },
    )


def _changed(request: PageRequest, models: list[ModelSettings]) -> HttpResponseBase:
    now = clock.now()
    if "refresh" in request.POST:
        request_refresh(actor=request.actor, now=now)
        messages.info(request, _("The figures are being made anew."))
        return redirect("model-settings")
    model = next((each for each in models if each.name == request.POST.get("model", "")), None)
    if model is None:
        raise InvalidInput(_("There is no model of this name."), details={"field": "model"})
    defaults = "defaults" in request.POST
    change_model_parameters(
        model=model.name,
        parameters={} if defaults else {each.name: _typed(request, each) for each in model.parameters},
        actor=request.actor,
        now=now,
    )
    messages.success(request, _("Saved. The figures are being made anew by these rules."))
    return redirect("model-settings")


def _typed(request: PageRequest, setting: ParameterSetting) -> Value:
    """What was typed, as a number where the parameter is one. Raises InvalidInput naming the parameter."""
    text = request.POST.get(setting.name, "").strip()
    if isinstance(setting.default, str):
        return text
    try:
        return int(text) if isinstance(setting.default, int) else float(text)
    except ValueError as error:
        raise InvalidInput(
            _("“%(text)s” is not a number.") % {"text": text}, details={"field": setting.name}
        ) from error
