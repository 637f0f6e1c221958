"""Settings: integration keys."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from patron.core.accounts.key_forms import KeyForm
from patron.core.accounts.key_secrets import KeySecret
from patron.core.accounts.keys import integration_scopes, list_keys
from patron.core.accounts.operations.keys import create_key, revoke_key
from patron.kernel import clock
from patron.kernel.ui.pages import PageRequest, page, show

TEMPLATE = "accounts/pages/keys.html"


@page(permission="accounts.keys", nav="integration-keys")
def integration_keys(request: PageRequest) -> HttpResponse:
    """The keys there are, and a form for a new one. The answer to the form shows the new key: never again after."""
    form = KeyForm(request.POST or None, actor=request.actor)
    token = ""
    if request.method == "POST" and form.is_valid():
        secret = KeySecret.new()
        create_key(**form.cleaned_data, secret=secret, actor=request.actor, now=clock.now())
        token, form = secret.token, KeyForm(actor=request.actor)
    labels = {permission.code: permission.label for permission in integration_scopes()}
    keys = [(key, [labels.get(scope, scope) for scope in key.scopes]) for key in list_keys(request.actor)]
    invalid = request.method == "POST" and not token
    response = show(request, TEMPLATE, {"form": form, "keys": keys, "token": token}, status=422 if invalid else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


@page(permission="accounts.keys", nav="integration-keys")
def revoke(request: PageRequest, key_id: int) -> HttpResponse:
    """End a key."""
    if request.method == "POST":
        key = revoke_key(key_id=key_id, actor=request.actor, now=clock.now())
        messages.success(
            request, _("The key “%(name)s” is revoked. Whatever used it is refused from now on.") % {"name": key.name}
        )
    return redirect("integration-keys")
