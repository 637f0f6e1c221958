"""Contact plan: who is contacted, how, by whom and when, within what staff can do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Real, Whole, decimals, half_up, labels
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.sentences import sentences
from patron.intelligence.mining.transactions import Role

if TYPE_CHECKING:
    from patron.intelligence.mining.optimising.contacts import Channel, Plan

REASON_CODES: Final = ("by_staff", "by_machine", "not_worth_it", "contacted_enough", "no_room")
#: Beyond this, gains times customers leave the range of whole numbers that the plan is solved in.
MOST_GAIN: Final = 100_000_000


@dataclass(frozen=True)
class ContactPlanParameters(Parameters):
    """What staff can do, what a contact costs, and how often a customer may be disturbed."""

    reps: int = parameter(3, "people who make contacts", minimum=0, maximum=10_000)
    capacity: str = parameter("call=25", "contacts per person and day by channel, e.g. call=25,visit=4")
    costs: str = parameter("call=12,visit=60,email=0.1,sms=0.5", "cost of one contact by channel, e.g. call=12,sms=0.5")
    days: int = parameter(5, "days that are planned, the first is the day after the as-of day", minimum=1, maximum=60)
    decay: float = parameter(0.02, "share of the gain that each day of waiting loses", minimum=0, maximum=0.9)
    most_contacts: int = parameter(
        2, "a customer contacted so often already (column recent) gets no other contact", minimum=1, maximum=1000
    )


def channels_of(parameters: ContactPlanParameters, names: tuple[str, ...]) -> tuple[Channel, ...]:
    """The channels by name; those with a capacity need staff. Raises ParameterError for what cannot be read."""
    from patron.intelligence.mining.optimising.contacts import Channel

    capacity, costs = _figures("capacity", parameters.capacity), _figures("costs", parameters.costs)
    return tuple(
        Channel(
            name=name,
            cost=costs.get(name, 0.0),
            daily=int(capacity[name]) * parameters.reps if name in capacity else None,
        )
        for name in names
    )


def _figures(name: str, text: str) -> dict[str, float]:
    figures = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, equals, number = part.partition("=")
        try:
            figures[key.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals or not figures[key.strip()] >= 0:
            raise ParameterError(f"{name} is {text!r}; write it as channel=number, e.g. call=25,visit=4.")
    return figures


def compute(rows: Rows, as_of: dt.date, parameters: ContactPlanParameters) -> Outcome:
    """One row per customer, by customer; the mathematics: ``docs/algorithms/optimising.md``."""
    from patron.intelligence.mining.optimising.contacts import NOBODY, contact_plan, dealt

    customers, names, gain, full = _matrix(rows, parameters)
    channels = channels_of(parameters, names)
    allowed = np.where(full[:, None], np.nan, gain)
    plan = contact_plan(allowed, channels, days=parameters.days, decay=parameters.decay)
    rep = dealt(plan, channels, reps=parameters.reps)
    metrics: dict[str, Metric] = {
        "customers": len(customers),
        "contacts": plan.contacts,
        "gain": plan.total,
        "contacted_enough": int(full.sum()),
    }
    for place, channel in enumerate(channels):
        metrics[f"contacts_{channel.name}"] = int((plan.channel == place).sum())
        metrics[f"gain_{channel.name}"] = float(plan.net[plan.channel == place].sum())
    if any(channel.daily is not None for channel in channels):
        more = _with_one_more(channels, parameters)
        larger = contact_plan(allowed, more, days=parameters.days, decay=parameters.decay)
        metrics["gain_of_one_more_person"] = larger.total - plan.total
    code = _codes(plan, allowed, channels, full, NOBODY)
    first = as_of + dt.timedelta(days=1)
    return Outcome(_table(customers, names, plan, rep, code, first), metrics)


def _with_one_more(channels: tuple[Channel, ...], parameters: ContactPlanParameters) -> tuple[Channel, ...]:
    from dataclasses import replace

    return channels_of(
        replace(parameters, reps=min(parameters.reps + 1, 10_000)), tuple(each.name for each in channels)
    )


def _matrix(
    rows: Rows, parameters: ContactPlanParameters
) -> tuple[pa.Array, tuple[str, ...], Real, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Customers, channels, gain of each pair (not a number: none given), and who was contacted enough."""
    recent = ["recent"] if rows.has("recent") else []
    table = rows.arrow("customer", "channel", "gain", *recent)
    table = table.filter(pc.and_(pc.is_valid(table["customer"]), pc.is_valid(table["channel"]))).combine_chunks()
    for name in ("gain", *recent):
        if len(table) and not pa.types.is_null(table[name].type) and not _number(table[name].type):
            raise InputError(f"The column {name} must be a number; it is {table[name].type}.")
    if (pc.max(pc.abs(table["gain"].cast(pa.float64()))).as_py() or 0.0) > MOST_GAIN:
        raise InputError(f"A gain is above {MOST_GAIN:,}; give what one contact brings, in money.")
    customers = pc.unique(table["customer"]).sort()
    names = tuple(sorted(str(each) for each in pc.unique(table["channel"]).to_pylist()))
    who = pc.index_in(table["customer"], customers).to_numpy()
    how = pc.index_in(table["channel"].cast(pa.string()), pa.array(names, pa.string())).to_numpy()
    cell = who.astype(np.int64) * max(len(names), 1) + how
    if len(np.unique(cell)) < len(cell):
        raise InputError("A customer has two rows for the same channel; give one row for each customer and channel.")
    gain = np.full(len(customers) * len(names), np.nan)
    gain[cell] = table["gain"].cast(pa.float64()).to_numpy(zero_copy_only=False)
    full = np.zeros(len(customers), dtype=np.bool_)
    if recent:
        times = pc.fill_null(table["recent"].cast(pa.float64()), 0.0).to_numpy()
        np.logical_or.at(full, who, times >= parameters.most_contacts)
    return customers, names, gain.reshape(len(customers), len(names)), full


def _number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _codes(
    plan: Plan,
    gain: Real,
    channels: tuple[Channel, ...],
    full: np.ndarray[tuple[int], np.dtype[np.bool_]],
    nobody: int,
) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    staffed = np.array([channel.daily is not None for channel in channels], dtype=np.bool_)
    costs = np.array([channel.cost for channel in channels])
    worth = (np.nan_to_num(gain, nan=-np.inf) > costs).any(axis=1) if channels else np.zeros(len(gain), dtype=np.bool_)
    code = np.where(worth, 4, 2)
    chosen = plan.channel != nobody
    if len(channels):
        code[chosen] = np.where(staffed[plan.channel[chosen]], 0, 1)
    code[full] = 3
    return code.astype(np.int8)


def _table(
    customers: pa.Array,
    names: tuple[str, ...],
    plan: Plan,
    rep: Whole,
    code: np.ndarray[tuple[int], np.dtype[np.int8]],
    first: dt.date,
) -> pa.Table:
    idle = plan.channel < 0
    channel = pa.array([*names, ""], pa.string()).take(pa.array(np.where(idle, len(names), plan.channel)))
    channel = pc.if_else(pa.array(idle), pa.scalar(None, pa.string()), channel)
    epoch = (first - dt.date(1970, 1, 1)).days
    day = pa.array((plan.day + epoch).astype(np.int32), mask=idle).cast(pa.date32())
    return pa.table(
        {
            "customer": customers,
            "channel": channel,
            "day": day,
            "rep": pa.array((rep + 1).astype(np.int32), mask=rep < 0),
            "gain": pa.array(plan.net, mask=idle),
            "reason_code": labels(code, REASON_CODES),
            "reason": sentences(
                code,
                {
                    0: lambda at: [
                        "Contact by ", channel.take(pa.array(at)), " on ", day.take(pa.array(at)),
                        "; expected to bring, cost taken off: ", decimals(half_up(plan.net[at] * 100), scale=2), ".",
                    ],
                    1: lambda at: [
                        "Send by ", channel.take(pa.array(at)), " on ", day.take(pa.array(at)),
                        "; expected to bring, cost taken off: ", decimals(half_up(plan.net[at] * 100), scale=2), ".",
                    ],
                    2: lambda _at: ["No contact is expected to bring more than it costs."],
                    3: lambda _at: ["Contacted often enough lately; left in peace."],
                    4: lambda _at: ["Worth a contact, but those who bring more fill the days planned."],
                },
            ),
        }
    )  # fmt: skip


MODEL: Final = Model(
    card=ModelCard(
        name="contact_plan",
        title="Contact plan",
        question="Whom do we contact, how, by whom and on which day, so that the effort brings most?",
        reads="table",
        roles=(
            Role("customer", "who could be contacted", required=True),
            Role("channel", "how; one row for each customer and channel", required=True, kind="text"),
            Role(
                "gain", "what the contact is expected to bring, in money, before its cost", required=True, kind="number"
            ),
            Role("recent", "how often the customer was contacted lately", kind="number"),
        ),
        method=(
            "Gives every customer at most one contact, by the channel and on the day that make the whole bring most "
            "within what staff can do: a minimum-cost flow, solved exactly. Who was contacted often enough is left in "
            "peace. gain is what the contact is expected to bring less its cost."
        ),
        source="R. K. Ahuja, T. L. Magnanti & J. B. Orlin, Network Flows (1993), chapters 9-10.",
        limits=(
            "It is as good as the gains it is given: measure them by an experiment with a control group.",
            "Every person can make every contact; skills, languages and shifts are not in it.",
            "One contact per customer and plan: plan again after the days planned.",
        ),
    ),
    parameters=ContactPlanParameters,
    compute=compute,
)
