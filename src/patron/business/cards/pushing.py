"""Telling phones that a card changed. Off unless a sender is registered: nothing here reaches the network by itself.

A house that has a way to Apple's push service registers it: `senders.register(Sender("apns", send))`. `send` is given
pass type and push tokens; the phone then asks the update service what changed.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from patron.business.cards.queries import push_tokens
from patron.kernel.jobs import defer, job
from patron.kernel.registries import Registry


@dataclass(frozen=True, slots=True)
class Sender:
    """A way to phones. `send(pass_type, tokens)` may be called again for the same tokens; raise to be retried."""

    name: str
    send: Callable[[str, Sequence[str]], None]


senders: Registry[Sender] = Registry("push sender", name=lambda sender: sender.name)


def push_later(card_ids: Sequence[int]) -> None:
    """Have the phones that carry these cards told, once the caller's transaction is committed."""
    if card_ids and len(senders):
        defer(push, card_ids=list(card_ids))


@job(name="cards.push")
def push(card_ids: Sequence[int]) -> None:
    """Tell the phones that carry these cards that they changed, by every sender that the house has."""
    tokens: dict[str, list[str]] = defaultdict(list)
    for pass_type, token in push_tokens(card_ids):
        tokens[pass_type].append(token)
    for sender in senders:
        for pass_type, of_type in tokens.items():
            sender.send(pass_type, of_type)
