"""How many points will never be used: a chain ladder over the points of each month. No Django.

Points of one month (a cohort) are used or expire as they age. Of all points open at the beginning of an age (in
months), the share that expired in that month of age is observed over the cohorts that have been there, and applied to
those that have not: `expected = Σ open × share`, age by age. (Mack, "Distribution-free calculation of the standard
error of chain ladder reserve estimates", ASTIN Bulletin 23/2, 1993, here with development of what is open instead of
what is paid, because points expire late: a factor between two zeros says nothing.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Cohort:
    """Points given in one month, less those taken back, and what left them at each age in whole months.

    `age` is the number of months that are over since: what happens at that age is not over yet.
    """

    month: date
    given: Decimal
    age: int
    used: Mapping[int, Decimal] = field(default_factory=dict)
    expired: Mapping[int, Decimal] = field(default_factory=dict)

    @property
    def used_so_far(self) -> Decimal:
        return sum(self.used.values(), ZERO)

    @property
    def expired_so_far(self) -> Decimal:
        return sum(self.expired.values(), ZERO)

    @property
    def open(self) -> Decimal:
        return self.given - self.used_so_far - self.expired_so_far

    def open_at(self, age: int) -> Decimal:
        """What was open when the cohort reached `age`."""
        gone = sum((points for at, points in self.used.items() if at < age), ZERO)
        return self.given - gone - sum((points for at, points in self.expired.items() if at < age), ZERO)

    @property
    def rate(self) -> Decimal | None:
        """The share that has expired unused so far; None where nothing was given."""
        return self.expired_so_far / self.given if self.given > 0 else None


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a cohort's open points: to expire, to be used, and what no older cohort has shown yet."""

    cohort: Cohort
    expire: Decimal
    use: Decimal

    @property
    def unknown(self) -> Decimal:
        return self.cohort.open - self.expire - self.use

    @property
    def is_known(self) -> bool:
        """Whether older cohorts say enough: at most a tenth of what was given is not known yet."""
        return self.cohort.given > 0 and self.unknown * 10 <= self.cohort.given

    @property
    def rate(self) -> Decimal | None:
        """The share of the cohort expected to expire unused in the end; None while too much is not known."""
        if not self.is_known:
            return None
        return (self.cohort.expired_so_far + self.expire) / self.cohort.given


def expected_breakage(cohorts: Sequence[Cohort]) -> list[Expected]:
    """What the older cohorts say of the younger ones, cohort by cohort in the order given."""
    oldest = max((cohort.age for cohort in cohorts), default=0)
    shares = {age: _shares_at(cohorts, age) for age in range(oldest)}
    found = []
    for cohort in cohorts:
        left, expire, use = cohort.open, ZERO, ZERO
        for age in range(cohort.age, oldest):
            expiring, using = shares[age]
            expire, use = expire + left * expiring, use + left * using
            left -= left * (expiring + using)
        found.append(Expected(cohort, _whole_cents(expire), _whole_cents(use)))
    return found


def _shares_at(cohorts: Sequence[Cohort], age: int) -> tuple[Decimal, Decimal]:
    """The shares of what was open at `age` that expired and that were used then, over cohorts that are past it."""
    past = [cohort for cohort in cohorts if cohort.age > age]
    was_open = sum((cohort.open_at(age) for cohort in past), ZERO)
    if was_open <= 0:
        return ZERO, ZERO
    expired = sum((cohort.expired.get(age, ZERO) for cohort in past), ZERO)
    used = sum((cohort.used.get(age, ZERO) for cohort in past), ZERO)
    return max(expired, ZERO) / was_open, max(used, ZERO) / was_open


def _whole_cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))
