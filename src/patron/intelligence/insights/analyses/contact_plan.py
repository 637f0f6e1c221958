"""Whom to contact in the days to come: what is at stake with each customer, and the best plan within staff's hours."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.arrays import decimals, half_up
from patron.intelligence.mining.contract import ModelResult
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.contact_plan import MODEL, ContactPlanParameters
from patron.intelligence.mining.optimising.assumptions import CHANNELS, GONE_PART
from patron.intelligence.mining.rows import Rows
from patron.kernel.exports import ExportColumn

RECENT_DAYS: Final = 14
#: A customer with less than this probability of being one still has no forecast worth dividing by it.
LEAST_ALIVE: Final = 0.02

CANDIDATES = Mart(
    name="contact_candidates",
    meaning="What is at stake with each customer: gross profit of a year that leaving or buying less would cost.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("stage", "string", "Life-cycle stage."),
        ExportColumn("p_leave", "float64", "Probability of leaving: of the churn model, else of lifetime value."),
        ExportColumn("gone", "bool", "Probably gone already, so harder to win back."),
        ExportColumn("if_stays", "decimal(18,2)", "Gross profit expected of the customer who stays."),
        ExportColumn("fallen", "decimal(18,2)", "Gross profit a year by which spending has fallen, of those at risk."),
        ExportColumn("stake", "decimal(18,2)", "if_stays x p_leave (of the gone what can be won back) and fallen."),
        ExportColumn("days_silent", "int32", "Days since the last purchase."),
        ExportColumn("recent", "int32", "Calls and messages in the last 14 days."),
        ExportColumn("by_call", "bool", "Whether there is a phone number on file, and calls were not refused."),
        ExportColumn("by_sms", "bool", "Whether there is one, and marketing by SMS is allowed."),
        ExportColumn("by_email", "bool", "Whether there is an address, and marketing by e-mail is allowed."),
    ),
    order="stake DESC, customer_id",
)
PLAN = Mart(
    name="contact_plan",
    meaning="The plan by the standing assumptions: who is contacted how, when and by which person.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("channel", "string", "call, sms or email."),
        ExportColumn("day", "date", "When."),
        ExportColumn("rep", "int32", "Number of the person; empty where none is needed."),
        ExportColumn("gain", "decimal(18,2)", "What the contact is expected to bring, cost taken off."),
        ExportColumn("reason", "string", "In words, English."),
    ),
    order="day, rep NULLS LAST, gain DESC",
)


def find(context: Context) -> Findings:
    """Stakes from lifetime value and churn, then the plan. Raises InputError where nothing is at stake."""
    margin, known = _margin(context)
    asked = _has_answers(context)
    candidates = _candidates(context, margin, asked=asked)
    if not len(candidates):
        raise InputError("A contact plan needs customers with a forecast of their value: there are none yet.")
    parameters = context.parameters(ContactPlanParameters)
    result = MODEL.run(_offers(candidates), as_of=context.as_of, parameters=parameters)
    notes = ["What a contact saves and costs is assumed until campaigns with control groups have measured it."]
    if not asked:
        notes.append("No consent is on file: every channel is taken to be allowed. Ask before you contact.")
    if not known:
        notes.append("No cost of goods is known: sales stand for gross profit, so stakes are too high.")
    return Findings(
        tables={CANDIDATES.name: candidates, PLAN.name: _plan(result, candidates)},
        parameters={
            **result.report.parameters,
            **{f"saves_{name}": each.saves for name, each in CHANNELS.items()},
            "gone_part": GONE_PART,
        },
        metrics={
            **result.report.metrics,
            "margin": margin,
            "stake": float(pc.sum(candidates["stake"]).as_py() or 0),
        },
        insights=_insights(result),
        notes=tuple(notes),
    )


def _margin(context: Context) -> tuple[float, bool]:
    """Gross profit per unit of sales, and whether any cost is known."""
    [(profit, covered)] = context.warehouse.rows("SELECT sum(gross_profit), sum(covered_revenue) FROM customer_value")
    if not profit or not covered or profit <= 0:
        return 1.0, False
    return float(profit / covered), True


def _is_there(context: Context, table: str) -> bool:
    return bool(
        context.warehouse.rows(f"SELECT 1 FROM information_schema.tables WHERE table_name = '{table}'")  # noqa: S608
    )


def _has_answers(context: Context) -> bool:
    """Whether anybody has been asked what marketing may do."""
    answers = "SELECT 1 FROM customer_reach WHERE permission <> 'not_asked' LIMIT 1"
    return _is_there(context, "customer_reach") and bool(context.warehouse.rows(answers))


#: Staff may call whoever has not refused it; messages go to those alone who allowed them.
_REACH: Final = """
    SELECT r.customer_id,
           bool_or(r.channel = 'phone' AND r.has_contact AND r.permission <> 'refused'
                   AND coalesce(c.status, 'active') = 'active') AS by_call,
           bool_or(r.channel = 'sms' AND r.reachable) AS by_sms,
           bool_or(r.channel = 'email' AND r.reachable) AS by_email
    FROM customer_reach r LEFT JOIN customers c USING (customer_id) GROUP BY r.customer_id
"""
_ANY_WAY: Final = "SELECT customer_id, true AS by_call, true AS by_sms, true AS by_email FROM clv_customers"


def _candidates(context: Context, margin: float, *, asked: bool) -> pa.Table:
    nobody = "(SELECT NULL::BIGINT AS customer_id, NULL::DOUBLE AS probability LIMIT 0)"
    churn = "churn_customers" if _is_there(context, "churn_customers") else nobody
    found: pa.Table = context.warehouse.arrow(
        f"""
        WITH lately AS (
            SELECT customer_id, count(*) AS times FROM activities
            WHERE occurred_at::DATE BETWEEN DATE '{context.as_of}' - {RECENT_DAYS - 1} AND DATE '{context.as_of}'
              AND (kind LIKE 'message.%' OR kind LIKE 'call.%' OR kind LIKE 'contact.%')
            GROUP BY customer_id
        ),
        ways AS ({_REACH if asked else _ANY_WAY}),
        known AS (
            SELECT v.customer_id, v.branch_id, coalesce(s.stage, '') AS stage,
                   coalesce(c.probability, 1 - v.p_alive) AS p_leave, v.label = 'gone' AS gone,
                   CASE WHEN v.p_alive >= {LEAST_ALIVE} THEN v.clv / v.p_alive * {margin!r} ELSE 0 END AS if_stays,
                   CASE WHEN s.at_risk AND v.label <> 'gone' AND s.trend_days > 0
                        THEN greatest(s.spend_before - s.spend_recent, 0) * 365 / s.trend_days * {margin!r}
                        ELSE 0 END AS fallen,
                   v.silent_days AS days_silent, coalesce(l.times, 0) AS recent,
                   coalesce(w.by_call, false) AS by_call, coalesce(w.by_sms, false) AS by_sms,
                   coalesce(w.by_email, false) AS by_email
            FROM clv_customers v LEFT JOIN customer_stage s USING (customer_id) LEFT JOIN {churn} c USING (customer_id)
                 LEFT JOIN lately l USING (customer_id) LEFT JOIN ways w USING (customer_id)
        )
        SELECT customer_id, branch_id, stage, p_leave, gone, if_stays::DECIMAL(18,2) AS if_stays,
               fallen::DECIMAL(18,2) AS fallen,
               (if_stays * p_leave * CASE WHEN gone THEN {GONE_PART} ELSE 1 END + fallen)::DECIMAL(18,2) AS stake,
               days_silent::INTEGER AS days_silent, recent::INTEGER AS recent, by_call, by_sms, by_email
        FROM known ORDER BY customer_id
        """  # noqa: S608 (days and figures of ours)
    )
    return found.filter(pc.greater(found["stake"], 0)).combine_chunks()


def _offers(candidates: pa.Table) -> Rows:
    """A row for each customer and channel by which they can be contacted. Raises InputError where there is none."""
    count, names = len(candidates), list(CHANNELS)
    customer = pc.take(candidates["customer_id"], pa.array(np.repeat(np.arange(count), len(names))))
    recent = pc.take(candidates["recent"], pa.array(np.repeat(np.arange(count), len(names))))
    stake = candidates["stake"].cast(pa.float64()).to_numpy()
    saves = np.array([each.saves for each in CHANNELS.values()])
    offers = pa.table(
        {
            "customer": customer,
            "channel": pa.array(names * count, pa.string()),
            "gain": (stake[:, None] * saves).ravel(),
            "recent": recent,
        }
    )
    ways = np.stack([candidates[f"by_{name}"].combine_chunks().to_numpy(zero_copy_only=False) for name in names], 1)
    if not ways.any():
        raise InputError("Nobody with anything at stake has a contact on file and allows one: ask for both first.")
    return Rows.of(offers.filter(pa.array(ways.ravel())))


def _plan(result: ModelResult, candidates: pa.Table) -> pa.Table:
    planned = result.table.filter(pc.is_valid(result.table["channel"]))
    branch = candidates["branch_id"].take(pc.index_in(planned["customer"], candidates["customer_id"]))
    gain = planned["gain"].combine_chunks().to_numpy()
    return pa.table(
        {
            "customer_id": planned["customer"],
            "branch_id": branch,
            "channel": planned["channel"],
            "day": planned["day"],
            "rep": planned["rep"],
            "gain": decimals(half_up(gain * 100), scale=2),
            "reason": planned["reason"],
        }
    )


def _insights(result: ModelResult) -> pa.Table:
    """Of those whom staff should contact: by which channel and when."""
    planned = result.table.filter(pc.equal(result.table["reason_code"].cast(pa.string()), "by_staff"))
    gain = planned["gain"].combine_chunks().to_numpy()
    money = decimals(half_up(gain * 100), scale=2)
    order = np.lexsort((np.arange(len(gain)), -gain))
    rank = np.empty(len(gain), dtype=np.int64)
    rank[order] = np.arange(1, len(gain) + 1)
    facts = pc.binary_join_element_wise(
        '{"day": "', planned["day"].combine_chunks().cast(pa.string()), '", "person": ',
        planned["rep"].combine_chunks().cast(pa.string()), ', "gain": ', money.cast(pa.string()), "}", "",
    )  # fmt: skip
    return pa.table(
        {
            "customer_id": planned["customer"],
            "label": planned["channel"],
            "score": money,
            "rank": rank,
            "reason_code": planned["reason_code"].cast(pa.string()),
            "reason": planned["reason"],
            "facts": facts,
        }
    )


ANALYSIS: Final = Analysis(
    name="contact_plan",
    title="Contact plan",
    marts=(CANDIDATES, PLAN),
    find=find,
    needs=("clv", "churn"),
)
