"""Tiers as people ask about them: how far to the next, what keeps this one, why it is held, what it brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.utils.translation import gettext as _

from patron.business.loyalty.ledger.reviewing import measured
from patron.business.loyalty.ledger.rulebooks import rulebook_at
from patron.business.loyalty.models import Membership, Programme, ProgrammeVersion, TierChange
from patron.business.loyalty.rules.tiers import (
    Benefit,
    Progress,
    Standing,
    TierTerms,
    member_year,
    progress,
    review_due_on,
    review_window,
    window_at,
)
from patron.kernel.clock import today
from patron.kernel.models import AuditEntry
from patron.kernel.ui import formats

REASON = TierChange.Reason


@dataclass(frozen=True, slots=True)
class TierProgress:
    """Where a member stands on the ladder, in numbers and in words.

    `missing` of the measure for the tier `following` (None at the top), by `deadline` where the window has one. To
    keep the tier beyond `until`, `to_keep` of it is missing of what counts in `keep_window`; both None where nothing
    has to be kept. `share` (0 to 100) is how much of the way to `following` is done.
    """

    tier: str
    name: str
    colour: str
    until: date | None
    invited: bool
    measure: str
    progress: Progress
    following: str
    missing: Decimal | None
    deadline: date | None
    to_keep: Decimal | None
    keep_window: tuple[date, date] | None
    share: int
    next_words: str
    keep_words: str


@dataclass(frozen=True, slots=True)
class TierReason:
    """A decision about a member's tier: names of the tiers, and why, in the reader's language. `who`: by hand only."""

    change: TierChange
    before: str
    after: str
    words: str
    who: str


@dataclass(frozen=True, slots=True)
class TierCount:
    """How many active members hold a tier; the code is empty for those without one."""

    code: str
    name: str
    colour: str
    members: int


@dataclass(frozen=True, slots=True)
class TierBenefits:
    """What a member's tier brings: by how much base points are multiplied, and everything else."""

    tier: str
    name: str
    multiplier: Decimal = Decimal(1)
    benefits: tuple[Benefit, ...] = ()

    def of_kind(self, kind: str) -> tuple[Benefit, ...]:
        """Those of one kind: service, waived_fee, voucher or gift."""
        return tuple(benefit for benefit in self.benefits if benefit.kind == kind)

    def waives(self, fee: str) -> bool:
        """Whether the fee of this code, such as `registration`, is not asked of the member."""
        return any(benefit.refers_to == fee for benefit in self.of_kind("waived_fee"))


def tier_progress(membership: Membership, now: datetime) -> TierProgress | None:
    """Where the member stands on the ladder in force; None where there is none. Two queries."""
    rulebook = rulebook_at(membership.programme_id, now)
    if rulebook is None or not rulebook.terms.tiers.ladder:
        return None
    terms, day = rulebook.terms.tiers, today(now)
    standing = Standing(membership.tier, membership.tier_until, membership.tier_invited)
    windows = [(membership.pk, window_at(terms, day, membership.joined_on))]
    if standing.until is not None:
        windows.append((membership.pk, review_window(terms, standing.until, membership.joined_on)))
    value, *of_review = measured(terms.measure, windows)
    found = progress(terms, standing, value=value, day=day, joined_on=membership.joined_on)
    held = terms.tier(standing.tier)
    to_keep = keep_window = None
    if held is not None and of_review and not standing.invited and not held.invitation_only:
        to_keep, keep_window = max(Decimal(0), held.threshold - of_review[0]), windows[1][1]
    deadline = _deadline(terms, day, membership.joined_on)
    currency = Programme.objects.get(pk=membership.programme_id).currency if terms.measure == "spend" else ""
    unit = Measure(terms.measure, currency)
    return TierProgress(
        tier=standing.tier,
        name=held.name if held else standing.tier,
        colour=held.colour if held else "",
        until=standing.until,
        invited=standing.invited,
        measure=terms.measure,
        progress=found,
        following=found.following.name if found.following else "",
        missing=found.missing,
        deadline=deadline,
        to_keep=to_keep,
        keep_window=keep_window,
        share=_share(value, found),
        next_words=_next_words(unit, found, deadline, terms),
        keep_words=_keep_words(unit, held.name if held else "", standing, to_keep, keep_window, terms, day),
    )


def why_tier(membership: Membership, *, limit: int = 20) -> Sequence[TierReason]:
    """Every decision about the member's tier, newest first: measure, value, threshold, window, version, who."""
    changes = list(
        TierChange.objects.filter(membership=membership)
        .select_related("version")
        .order_by("-effective_at", "-pk")[:limit]
    )
    if not changes:
        return ()
    names = _names(membership.programme_id)
    currency = Programme.objects.get(pk=membership.programme_id).currency
    by_hand = {f"loyalty.tierchange:{change.pk}": "" for change in changes if not change.measure}
    if by_hand:
        by_hand |= dict(AuditEntry.objects.filter(subject__in=by_hand).values_list("subject", "actor_name"))
    return [
        TierReason(
            change=change,
            before=_named(names, change.before, change.version),
            after=_named(names, change.after, change.version),
            words=_why(change, Measure(change.measure, currency), _named(names, change.after, change.version)),
            who=by_hand.get(f"loyalty.tierchange:{change.pk}", ""),
        )
        for change in changes
    ]


def tier_counts(programme: Programme, now: datetime) -> Sequence[TierCount]:
    """Active members by tier: those without one, then the ladder from below, then tiers that are no more. One pass."""
    rulebook = rulebook_at(programme.pk, now)
    ladder = rulebook.terms.tiers.ladder if rulebook else ()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tier, count(*) FROM loyalty_membership WHERE programme_id = %s AND status = 'active' GROUP BY 1",
            [programme.pk],
        )
        members = dict(cursor.fetchall())
    found = [TierCount("", _("No tier"), "", members.pop("", 0))]
    found.extend(TierCount(tier.code, tier.name, tier.colour, members.pop(tier.code, 0)) for tier in ladder)
    names = _names(programme.pk) if members else {}
    return [*found, *(TierCount(code, names.get(code, code), "", members[code]) for code in sorted(members))]


def benefits_of(membership: Membership, now: datetime) -> TierBenefits:
    """What the member's tier brings by the version in force; nothing for a member without a tier. One query."""
    rulebook = rulebook_at(membership.programme_id, now)
    tier = rulebook.terms.tiers.tier(membership.tier) if rulebook else None
    if tier is None:
        return TierBenefits(tier=membership.tier, name=membership.tier)
    return TierBenefits(tier=tier.code, name=tier.name, multiplier=tier.multiplier, benefits=tier.benefits)


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured, and how an amount of it is said."""

    measure: str
    currency: str

    def say(self, value: Decimal) -> str:
        match self.measure:
            case "spend":
                return formats.money(value, self.currency)
            case "visits":
                return _("%(count)s visits") % {"count": formats.count(value)}
            case _:
                places = max(0, -int(value.normalize().as_tuple().exponent))
                return _("%(count)s qualifying points") % {"count": formats.decimal(value, places)}


def _share(value: Decimal, found: Progress) -> int:
    if found.following is None:
        return 100
    if not found.following.threshold:
        return 100
    return max(0, min(99, int(100 * value / found.following.threshold)))


def _deadline(terms: TierTerms, day: date, joined_on: date) -> date | None:
    """The last day of the window that counts now; None where it moves with every day."""
    match terms.window:
        case "calendar_year":
            return date(day.year, 12, 31)
        case "membership_year":
            return member_year(joined_on, day)[1]
        case _:
            return None


def _next_words(unit: Measure, found: Progress, deadline: date | None, terms: TierTerms) -> str:
    if found.following is None or found.missing is None:
        return _("This is the highest tier.")
    values = {
        "missing": unit.say(found.missing),
        "tier": found.following.name,
        "day": formats.day(deadline),
        "months": terms.months,
    }
    if not found.missing:
        return _("The next purchase brings %(tier)s.") % values
    if deadline is not None:
        return _("%(missing)s more by %(day)s for %(tier)s.") % values
    return _("%(missing)s more within %(months)s months for %(tier)s.") % values


def _keep_words(
    unit: Measure,
    name: str,
    standing: Standing,
    to_keep: Decimal | None,
    window: tuple[date, date] | None,
    terms: TierTerms,
    day: date,
) -> str:
    if not standing.tier:
        return _("No tier yet.")
    values: dict[str, object] = {"tier": name or standing.tier}
    if standing.until is None:
        return _("%(tier)s is held until it is taken back.") % values
    values["until"] = formats.day(standing.until)
    if standing.invited:
        return _("%(tier)s by invitation until %(until)s; then what was earned meanwhile counts.") % values
    if to_keep is None or window is None:
        return _("%(tier)s until %(until)s.") % values
    values |= {"missing": unit.say(to_keep), "from": formats.day(window[0]), "by": formats.day(window[1])}
    if not to_keep:
        return _("%(tier)s until %(until)s, and enough for the time after that.") % values
    if window[0] > day:
        words = _("%(tier)s until %(until)s; to keep it: %(missing)s from %(from)s to %(by)s.")
    else:
        words = _("%(tier)s until %(until)s; to keep it: %(missing)s more by %(by)s.")
    if day >= review_due_on(terms, standing.until):
        words = _("%(tier)s until %(until)s; the review is due now.")
    return words % values


def _why(change: TierChange, unit: Measure, tier: str) -> str:
    """Why, in one or two sentences with the numbers."""
    values: dict[str, object] = {"tier": tier, "note": change.note.rstrip(". "), "until": formats.day(change.until)}
    if change.value is not None and change.window_from and change.window_until:
        values |= {
            "value": unit.say(change.value),
            "threshold": unit.say(change.threshold or Decimal(0)),
            "from": formats.day(change.window_from),
            "to": formats.day(change.window_until),
        }
    match change.reason:
        case REASON.UPGRADE:
            words = _("%(value)s from %(from)s to %(to)s reached %(tier)s, which asks for %(threshold)s.")
        case REASON.KEPT:
            words = _("%(value)s from %(from)s to %(to)s kept %(tier)s, which asks for %(threshold)s.")
        case REASON.DOWN if change.after:
            words = _(
                "%(value)s from %(from)s to %(to)s did not keep the tier; it is enough for %(tier)s (%(threshold)s)."
            )
        case REASON.DOWN:
            words = _("%(value)s from %(from)s to %(to)s did not keep the tier, and is not enough for another.")
        case REASON.SOFT_LANDING:
            words = _("%(value)s from %(from)s to %(to)s did not keep the tier; one tier less is %(tier)s.")
        case REASON.INVITED if change.until:
            words = _("Granted until %(until)s: %(note)s.")
        case REASON.INVITED:
            words = _("Granted without an end: %(note)s.")
        case REASON.INVITATION_OVER if change.after:
            words = _("The invitation ended. %(value)s from %(from)s to %(to)s, or a tier held before, give %(tier)s.")
        case REASON.INVITATION_OVER:
            words = _("The invitation ended. %(value)s from %(from)s to %(to)s are not enough for a tier.")
        case _:
            words = _("Taken back: %(note)s.")
    return words % values


def _names(programme_id: int) -> dict[str, str]:
    """The latest name of every tier that the programme ever had."""
    names: dict[str, str] = {}
    versions = ProgrammeVersion.objects.filter(programme_id=programme_id).order_by("valid_from", "version")
    for terms in versions.values_list("terms", flat=True):
        names |= {tier["code"]: tier["name"] for tier in terms.get("tiers", {}).get("ladder", ())}
    return names


def _named(names: dict[str, str], code: str, version: ProgrammeVersion | None) -> str:
    """The name that a tier had then, else the latest."""
    if not code:
        return _("No tier")
    ladder = version.terms.get("tiers", {}).get("ladder", ()) if version else ()
    return next((tier["name"] for tier in ladder if tier["code"] == code), names.get(code, code))
