"""What the pages of the programme work on: the draft with its sentences, what is odd about it, and names for codes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from patron.business.loyalty.models import Programme
from patron.business.loyalty.queries.programmes import terms_in_force
from patron.business.loyalty.rules.sanity import oddities
from patron.business.loyalty.rules.terms import Terms
from patron.core.accounts.queries import get_visible_branches
from patron.core.catalog.queries import name_products
from patron.kernel import clock
from patron.kernel.actor import Actor
from patron.touchpoints.workspace import programme_draft as drafts
from patron.touchpoints.workspace import programme_words as words
from patron.touchpoints.workspace.programme_warnings import oddity_words


@dataclass(frozen=True, slots=True)
class Bench:
    """The draft as it stands, or the terms in force where nobody has begun one, and what can be made of it."""

    programme: Programme
    draft: drafts.Draft
    terms: Terms | None
    refusal: drafts.Refusal | None
    names: dict[str, str]

    @classmethod
    def at(cls, programme: Programme, actor: Actor, now: datetime) -> "Bench":
        draft = terms_in_force(programme, now).as_json() if programme.draft is None else programme.draft
        terms, refusal = drafts.read(draft)
        return cls(programme, draft, terms, refusal, names_for(actor, terms))

    def context(self) -> dict[str, Any]:
        """What the sentences and the warnings of the page need."""
        currency = self.programme.currency
        return {
            "programme": self.programme,
            "summary": words.summary(self.terms, currency, self.names) if self.terms else "",
            "lines": drafts.lines(self.draft, currency, self.names),
            "refusal": self.refusal,
            "warnings": warnings_of(self.programme, self.terms) if self.terms else [],
            "has_draft": self.programme.draft is not None,
        }


def warnings_of(chosen: Programme, terms: Terms) -> list[dict[str, str]]:
    """What is odd about terms, in words, each with the part of the builder where it can be changed."""
    found = oddities(terms, point_value=chosen.point_value, today=clock.today(clock.now()))
    return [{"words": oddity_words(each, chosen.currency), "key": drafts.locate(each.place)[0]} for each in found]


def names_for(actor: Actor, terms: Terms | None) -> dict[str, str]:
    """What to call branches, tiers and the products that terms name, by code."""
    names = {branch.code: branch.name for branch in get_visible_branches(actor)}
    if terms is not None:
        names |= {tier.code: tier.name for tier in terms.tiers.ladder}
        filters = [bonus.products for bonus in terms.bonuses] + ([terms.excluded] if terms.excluded else [])
        codes = {code for each in filters for code in each.products}
        if codes and actor.can("catalog.view"):
            names |= name_products(actor, codes)
    return names
