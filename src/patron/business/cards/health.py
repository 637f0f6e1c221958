"""What the card room says to those who watch over the installation: how long passes can still be signed."""

from patron.business.cards.errors import WalletNotConfigured
from patron.business.cards.wallets.signing import pass_identity
from patron.kernel import clock
from patron.kernel.observability.metrics import Gauge, gauges


def certificate_seconds() -> dict[str, float]:
    """Seconds until the organisation's certificate for passes ends; nothing where there is none, or a trial one."""
    try:
        identity = pass_identity()
    except WalletNotConfigured:
        return {}
    return {} if identity.is_trial else {"": (identity.expires_at - clock.now()).total_seconds()}


gauges.register(
    Gauge("patron_pass_certificate_seconds", "Seconds until the certificate of passes ends.", certificate_seconds)
)
