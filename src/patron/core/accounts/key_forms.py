"""The form of the page of integration keys."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from patron.core.accounts.keys import integration_scopes
from patron.core.accounts.operations.keys import MAX_RATE_PER_MINUTE
from patron.core.accounts.queries import get_visible_branches
from patron.kernel.actor import Actor


class KeyForm(forms.Form):
    """What a new key is called and may do. `cleaned_data["branch"]` is the branch itself, or None for all."""

    name = forms.CharField(
        label=pgettext_lazy("of a thing", "Name"),
        max_length=100,
        help_text=_("What will use the key, for example “Web shop” or “Tills of Kowloon”."),
    )
    scopes = forms.MultipleChoiceField(label=_("What the key may do"), widget=forms.CheckboxSelectMultiple)
    branch = forms.ChoiceField(
        label=_("Branch"),
        required=False,
        help_text=_("With a branch, the key sees and writes what belongs to it alone."),
    )
    rate_per_minute = forms.IntegerField(
        label=_("Requests a minute"), min_value=1, max_value=MAX_RATE_PER_MINUTE, initial=600
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._branches = {branch.code: branch for branch in get_visible_branches(actor)}
        self.fields["scopes"].choices = [(p.code, p.label) for p in integration_scopes()]  # type: ignore[attr-defined]
        self.fields["branch"].choices = [  # type: ignore[attr-defined]
            ("", _("All branches")),
            *((code, branch.name) for code, branch in self._branches.items()),
        ]

    def clean_branch(self) -> Any:
        return self._branches.get(self.cleaned_data["branch"])
