"""Sequences of events as the pattern miners see them: who, when, and which items at that moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Real, Whole, prefix_sums
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.patterns.transactions import codes, distinct, in_text_order

_DAY_MICROSECONDS = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Sequences:
    """Events by sequence, then by time; the items of one sequence at one position are one event.

    Sequence s has the events ``starts[s]`` to ``starts[s + 1]``; ``owner`` gives s for each event and ``time`` its
    position (days for dates and instants). ``names`` are the items, ascending as text; those of code i happen at
    ``events[item_starts[i]:item_starts[i + 1]]``, ascending. ``dropped`` rows had a null. ``dated``: positions are
    dates or instants.
    """

    names: pa.Array
    starts: Whole
    owner: Whole
    time: Real
    item_starts: Whole
    events: Whole
    dropped: int = 0
    dated: bool = False

    @property
    def size(self) -> int:
        """How many sequences there are."""
        return len(self.starts) - 1

    @classmethod
    def of(
        cls,
        sequence: pa.Array | pa.ChunkedArray,
        position: pa.Array | pa.ChunkedArray,
        item: pa.Array | pa.ChunkedArray,
    ) -> Sequences:
        """From one row per item; a row with a null is left out, an item twice at one position counts once.

        Raises :class:`InputError` when positions are neither numbers nor dates.
        """
        rows = len(sequence)
        known = pc.and_(pc.and_(pc.is_valid(sequence), pc.is_valid(position)), pc.is_valid(item))
        if not pc.all(known, min_count=0).as_py():
            sequence, position, item = sequence.filter(known), position.filter(known), item.filter(known)
        time = _as_numbers(position)
        _, owner = codes(sequence)
        names, code = in_text_order(*codes(item))
        dated = pa.types.is_date(position.type) or pa.types.is_timestamp(position.type)
        return cls.of_codes(names, owner, time, code, dropped=rows - len(sequence), dated=dated)

    @classmethod
    def of_codes(
        cls, names: pa.Array, owner: Whole, time: Real | Whole, code: Whole, *, dropped: int = 0, dated: bool = False
    ) -> Sequences:
        """From numbered sequences and items: in row i item ``code[i]`` happens to ``owner[i]`` at ``time[i]``."""
        time = np.asarray(time, dtype=np.float64)
        order = np.lexsort((code, time, owner))
        owner, time, code = owner[order], time[order], code[order]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (owner[1:] != owner[:-1]) | (time[1:] != time[:-1])
        event = np.cumsum(new) - 1
        firsts = np.flatnonzero(new)
        events = int(event.max(initial=-1)) + 1
        held, events_of = np.divmod(distinct(code * np.int64(max(events, 1)) + event), max(events, 1))
        sequences = int(owner.max(initial=-1)) + 1
        return cls(
            names=names,
            starts=np.searchsorted(owner[firsts], np.arange(sequences + 1)),
            owner=owner[firsts],
            time=time[firsts],
            item_starts=np.searchsorted(held, np.arange(len(names) + 1)),
            events=events_of,
            dropped=dropped,
            dated=dated,
        )

    @property
    def place(self) -> Whole:
        """The place of each event in its sequence, from 1."""
        each: Whole = np.arange(len(self.owner)) - self.starts[self.owner] + 1
        return each


@dataclass(frozen=True, slots=True)
class Elements:
    """The sets of items that happen together often enough: what the steps of patterns are made of.

    ``members`` are the codes of their items one after the other, those of element e at ``member_starts[e]`` to
    ``member_starts[e + 1]``; it happens at ``events[starts[e]:starts[e + 1]]``, ascending, in ``counts[e]`` sequences.
    """

    members: Whole
    member_starts: Whole
    starts: Whole
    events: Whole
    counts: Whole

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def lengths(self) -> Whole:
        """How many items each has."""
        each: Whole = np.diff(self.member_starts)
        return each

    def events_of(self, element: int) -> Whole:
        """When it happens."""
        return self.events[self.starts[element] : self.starts[element + 1]]


def frequent_elements(sequences: Sequences, *, min_count: int, max_length: int = 0) -> Elements:
    """Every set of items that at least ``min_count`` sequences hold in one event; ascending by items."""
    found: list[tuple[tuple[int, ...], Whole]] = []
    singles = np.repeat(np.arange(len(sequences.names)), np.diff(sequences.item_starts))
    counts = sequences_of_each(singles, sequences.events, sequences.owner, len(sequences.names))
    items = np.flatnonzero(counts >= min_count)
    held = [sequences.events[sequences.item_starts[item] : sequences.item_starts[item + 1]] for item in items]
    mark = np.zeros(len(sequences.owner), dtype=np.bool_)
    _grow((), items, held, found, mark, sequences.owner, min_count, max_length or len(sequences.names))
    members = np.array([item for each, _ in found for item in each], dtype=np.int64)
    lengths = np.array([len(each) for each, _ in found], dtype=np.int64)
    events = np.concatenate([np.empty(0, dtype=np.int64), *(each for _, each in found)])
    starts = prefix_sums(np.array([len(each) for _, each in found], dtype=np.int64))
    of = np.repeat(np.arange(len(found)), np.diff(starts))
    return Elements(
        members, prefix_sums(lengths), starts, events, sequences_of_each(of, events, sequences.owner, len(found))
    )


def _grow(
    prefix: tuple[int, ...],
    items: Whole,
    held: list[Whole],
    found: list[tuple[tuple[int, ...], Whole]],
    mark: np.ndarray,
    owner: Whole,
    min_count: int,
    max_length: int,
) -> None:
    """Depth first: the sets that begin with ``prefix`` and one of ``items``, which happen at ``held``."""
    for place, item in enumerate(items):
        grown = (*prefix, int(item))
        found.append((grown, held[place]))
        rest = held[place + 1 :]
        if not rest or len(grown) >= max_length:
            continue
        mark[held[place]] = True
        events = np.concatenate(rest)
        of = np.repeat(np.arange(len(rest)), [len(each) for each in rest])
        together = mark[events]
        mark[held[place]] = False
        events, of = events[together], of[together]
        enough = np.flatnonzero(sequences_of_each(of, events, owner, len(rest)) >= min_count)
        if len(enough):
            ends = np.searchsorted(of, enough, side="right")
            begins = np.searchsorted(of, enough)
            deeper = [events[begin:end] for begin, end in zip(begins, ends, strict=True)]
            _grow(grown, items[place + 1 :][enough], deeper, found, mark, owner, min_count, max_length)


def sequences_of_each(group: Whole, events: Whole, owner: Whole, groups: int) -> Whole:
    """In how many sequences each group's events are; the rows come by group, then by event."""
    who = owner[events]
    new = np.ones(len(who), dtype=np.bool_)
    new[1:] = (group[1:] != group[:-1]) | (who[1:] != who[:-1])
    each: Whole = np.bincount(group[new], minlength=groups)
    return each


def _as_numbers(position: pa.Array | pa.ChunkedArray) -> Real:
    kind = position.type
    if pa.types.is_date(kind):
        position = position.cast(pa.date32()).cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        microseconds = position.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
        return np.asarray(microseconds.to_numpy() / _DAY_MICROSECONDS, dtype=np.float64)
    elif pa.types.is_decimal(kind):
        position = position.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise InputError(f"The position must be a number or a date, by which items are put in order; it is {kind}.")
    return np.asarray(position.to_numpy(), dtype=np.float64)
