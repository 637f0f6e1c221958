"""How the newcomers page proves and explains its figures."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from patron.intelligence.reports.newcomers import told_bands
from patron.kernel.charts import Column
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses.contract import Part, TablePart
from patron.touchpoints.workspace.analyses.desk import Desk


def backtest_parts(desk: Desk) -> list[Part]:
    """What was foretold and what came, by silence; nothing without a test."""
    bands = told_bands(desk.warehouse)
    if not bands:
        return []
    return [
        TablePart(
            "backtest",
            _("What was foretold, and what came"),
            (
                Column(_("Days silent")),
                Column(_("Newcomers asked about"), "count"),
                Column(_("Foretold"), "percent"),
                Column(_("Came"), "count"),
                Column(_("Share that came"), "percent"),
                Column(_("At least"), "percent"),
                Column(_("At most"), "percent"),
            ),
            [
                (
                    f"{formats.count(each.first_day)}–{formats.count(each.last_day)}",
                    each.asked,
                    each.foretold,
                    each.came,
                    each.observed,
                    each.low,
                    each.high,
                )
                for each in bands
            ],
            note=_("Asked on past days, answered by what was known then; who waits long is asked about several times."),
        )
    ]


def explained(desk: Desk) -> list[str]:
    """Who is counted, how, what it is worth, and what it cannot say."""
    metrics, parameters = desk.run.metrics, desk.run.parameters

    def day(name: str) -> str:
        return formats.day(date.fromisoformat(metrics[name])) if metrics.get(name) else "–"

    facts = {
        "newcomers": formats.count(metrics.get("customers")),
        "first": day("first_from"),
        "data": day("data_from"),
        "until": formats.day(desk.until),
        "lost": formats.count(parameters.get("lost_days")),
        "before": formats.count(metrics.get("on_file_before")),
        "followed": formats.count(metrics.get("followed")),
        "left": formats.count(metrics.get("left")),
        "again": formats.count(metrics.get("left_and_back")),
        "horizon": formats.count(parameters.get("horizon_days")),
        "unlikely": formats.percent(parameters.get("unlikely"), 0),
        "soon": formats.count(parameters.get("soon_days")),
        "windows": formats.count(metrics.get("tested_windows")),
        "asked": formats.count(metrics.get("tested_asked")),
        "came": formats.count(metrics.get("tested_came")),
        "foretold": formats.count(round(metrics.get("tested_foretold") or 0)),
        "from": day("tested_from"),
        "to": day("tested_until"),
        "brier": formats.decimal(metrics.get("brier"), 3),
        "baseline": formats.decimal(metrics.get("brier_baseline"), 3),
        "least": formats.count(parameters.get("least")),
    }
    told = [
        _(
            "%(newcomers)s newcomers: their first purchase lies between %(first)s and %(until)s. The data begin on "
            "%(data)s; who came in the first %(lost)s days may be an old customer and is left out."
        ),
        _(
            "Coming back is a purchase on a later day. Those who have not come yet count for as long as they have been "
            "watched, up to %(until)s (Kaplan–Meier curves, Greenwood's limits). The curve of those who come back ends "
            "where fewer than five still wait, that of those who stay where fewer than ten are followed."
        ),
        _(
            "Gone is who was silent for more than %(lost)s days, on the day of the last purchase before; it can be "
            "told only %(lost)s days later, so nobody is followed beyond that. Of %(followed)s newcomers %(left)s were "
            "gone, and %(again)s of those have bought again since: gone for a time, not for good."
        ),
        _(
            "The chance to come back is that of newcomers who were silent for as long. Write after the day by which "
            "half of those are back who come within %(horizon)s days, and before the chance falls under %(unlikely)s. "
            "That a letter brings more of them back is for a test with a control group to show."
        ),
        _(
            "Groups are made by what was known on the first day; with fewer than %(least)s newcomers they join the "
            "others. That a group comes back more often does not prove that the group is why."
        ),
    ]
    if metrics.get("on_file_before"):
        told.insert(
            1, _("%(before)s of them were on file before the data begin and may be old customers who had stayed away.")
        )
    if metrics.get("brier") is not None:
        told.append(
            _(
                "Back-test: on %(windows)s days the chances were worked out from what was known then, for %(asked)s "
                "waits of newcomers; from %(from)s to %(to)s %(foretold)s were foretold to come within %(soon)s days "
                "and %(came)s came. Brier score %(brier)s; %(baseline)s where everybody who waits has the same chance."
            )
        )
    else:
        told.append(_("The history is too short, or too few wait, for a test of the chances by date."))
    return [each % facts for each in told]
