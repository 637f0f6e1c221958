"""How one-time codes reach members. A room that can send messages registers its way in its `handlers.py`:

`code_senders.register(CodeSender("sms", send=...))`. The first that says it has taken the message wins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from patron.kernel.registries import Registry


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """What is to be sent: six digits that let one amount through until `expires_at`. Never log it."""

    membership_id: int
    customer_id: int
    code: str
    expires_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class CodeSender:
    """`send` takes the message within the caller's transaction and says whether it can reach the member."""

    name: str
    send: Callable[[CodeMessage], bool]


code_senders: Registry[CodeSender] = Registry("code sender", name=lambda sender: sender.name)
