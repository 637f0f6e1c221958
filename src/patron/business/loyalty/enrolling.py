"""Enrolling the customers of a file: set-based SQL over the chunk of a customer import, in its transaction.

The same as `operations.enrol` one by one: a membership once, the accounts that every award needs, a card where the
member has none, a line in the activity log. Doing it again adds nothing.
"""

from django.conf import settings
from django.utils.translation import gettext as _

from patron.business.loyalty.models import Programme
from patron.business.loyalty.rules import CARD_LENGTH
from patron.core.activities.operations import log_activities_from
from patron.core.customers.search import refresh_search_terms_from
from patron.kernel.clock import today
from patron.kernel.errors import InvalidInput
from patron.kernel.intake.contract import ApplyCounts, Chunk

WANTED = """
CREATE TEMP TABLE loyalty_enrolling ON COMMIT DROP AS
SELECT DISTINCT ON (c.customer_id) c.customer_id, c.row_no,
    nullif(regexp_replace(c.card_number, '[\\s-]', '', 'g'), '') AS number,
    CASE WHEN c.joined_on > %(today)s::date THEN %(today)s::date ELSE c.joined_on END AS joined_on
FROM {table} c
WHERE c.customer_id IS NOT NULL AND (%(everyone)s OR c.card_number IS NOT NULL OR c.joined_on IS NOT NULL)
ORDER BY c.customer_id, c.row_no DESC
"""

MEMBERS = """
INSERT INTO loyalty_membership (programme_id, customer_id, status, joined_on)
SELECT %(programme)s, customer_id, 'active', coalesce(joined_on, %(today)s::date)
FROM loyalty_enrolling ORDER BY customer_id
ON CONFLICT (programme_id, customer_id) DO NOTHING
"""

RESOLVE = """
CREATE TEMP TABLE loyalty_enrolled ON COMMIT DROP AS
SELECT e.*, m.id AS membership_id, m.changed_xid = pg_current_xact_id() AND NOT EXISTS (
        SELECT FROM loyalty_account a WHERE a.membership_id = m.id) AS is_new
FROM loyalty_enrolling e
    JOIN loyalty_membership m ON m.customer_id = e.customer_id AND m.programme_id = %(programme)s
"""

CHANGE_JOINING = """
UPDATE loyalty_membership m SET joined_on = e.joined_on
FROM loyalty_enrolled e
WHERE m.id = e.membership_id AND m.joined_on <> e.joined_on AND NOT e.is_new
"""

ACCOUNTS = """
INSERT INTO loyalty_account (membership_id, unit, bucket, balance, overdraft_allowed)
SELECT e.membership_id, 'points', b.bucket, 0, b.bucket = 'available' AND %(allow_debt)s
FROM loyalty_enrolled e CROSS JOIN (VALUES ('available'), ('issued')) AS b (bucket)
WHERE e.is_new ORDER BY e.membership_id, b.bucket
"""

# First come, first served within the file; a number that somebody has already stays theirs.
GIVEN_CARDS = """
INSERT INTO loyalty_card (membership_id, number, status, issued_at)
SELECT membership_id, number, 'active', %(now)s FROM (
    SELECT DISTINCT ON (number) membership_id, number, row_no FROM loyalty_enrolled e
    WHERE number IS NOT NULL
        AND NOT EXISTS (SELECT FROM loyalty_card c WHERE c.membership_id = e.membership_id AND c.status = 'active')
    ORDER BY number, row_no
) first_come
ORDER BY membership_id
ON CONFLICT (number) DO NOTHING
"""

TAKEN = """
INSERT INTO {rejects} (row_no, code, message)
SELECT e.row_no, 'card_taken', CASE WHEN c.membership_id IS NULL OR c.membership_id = e.membership_id
    THEN %(other_card)s ELSE %(taken)s END
FROM loyalty_enrolled e LEFT JOIN loyalty_card c ON c.number = e.number
WHERE e.number IS NOT NULL AND (c.membership_id IS DISTINCT FROM e.membership_id)
"""

WITHOUT_CARD = """
SELECT FROM loyalty_enrolled e WHERE NOT EXISTS (SELECT FROM loyalty_card c WHERE c.membership_id = e.membership_id)
LIMIT 1
"""

# The Luhn formula of `rules.check_digit`. Numbers of the series that are in use (printed elsewhere) are passed over.
NEW_CARDS = """
INSERT INTO loyalty_card (membership_id, number, status, issued_at)
SELECT membership_id, digits || (10 - (
    SELECT sum(CASE WHEN (length(digits) - i) %% 2 = 0
        THEN (ARRAY[0, 2, 4, 6, 8, 1, 3, 5, 7, 9])[substr(digits, i, 1)::int + 1]
        ELSE substr(digits, i, 1)::int END)
    FROM generate_series(1, length(digits)) i) %% 10) %% 10, 'active', %(now)s
FROM (
    SELECT membership_id, %(prefix)s || lpad(nextval('loyalty_card_serial')::text, %(room)s, '0') AS digits FROM (
        SELECT membership_id FROM loyalty_enrolled e
        WHERE NOT EXISTS (SELECT FROM loyalty_card c WHERE c.membership_id = e.membership_id)
        ORDER BY customer_id
    ) without_card
) numbered
ON CONFLICT (number) DO NOTHING
"""

TELL = """
SELECT e.customer_id, 'loyalty.enrolled' AS kind,
    least(coalesce(e.joined_on::timestamp AT TIME ZONE %(zone)s, %(now)s), %(now)s) AS occurred_at,
    '' AS channel, NULL::bigint AS branch_id, 'loyalty.membership:' || e.membership_id AS source,
    jsonb_build_object('programme', %(code)s::text) AS facts
FROM loyalty_enrolled e WHERE e.is_new
"""


def enrol_chunk(chunk: Chunk) -> ApplyCounts:
    """Enrol the chunk's customers where the file or the user says so, and count members and cards made."""
    everyone = chunk.options.get("enrol") == "yes"
    if chunk.options.get("enrol") == "no" or not (everyone or chunk.columns & {"card_number", "joined_on"}):
        return ApplyCounts()
    programme = _programme(chunk)
    if programme is None:
        return ApplyCounts(treated={"no_programme": chunk.rows})
    values = {
        "programme": programme.pk,
        "code": programme.code,
        "allow_debt": programme.debt != Programme.Debt.FORGIVE,
        "prefix": programme.card_prefix,
        "room": CARD_LENGTH - 1 - len(programme.card_prefix),
        "everyone": everyone,
        "today": today(chunk.now),
        "now": chunk.now,
        "zone": settings.TIME_ZONE,
        "taken": _("This card number belongs to another customer. The customer went in without it."),
        "other_card": _("This member has another card. Replace it on the customer's page if it is lost."),
    }
    chunk.execute("DROP TABLE IF EXISTS loyalty_enrolling, loyalty_enrolled")
    to_come = chunk.execute(f"SELECT FROM {chunk.table} WHERE joined_on > %(today)s", values)
    if not chunk.execute(WANTED.format(table=chunk.table), values):
        return ApplyCounts()
    with chunk.bulk_insert():
        members = chunk.execute(MEMBERS, values)
    chunk.execute(RESOLVE, values)
    chunk.execute("ANALYZE loyalty_enrolled")
    chunk.execute(CHANGE_JOINING)
    with chunk.bulk_insert():
        chunk.execute(ACCOUNTS, values)
        cards = chunk.execute(GIVEN_CARDS, values)
        chunk.execute(TAKEN.format(rejects=chunk.rejects), values)
        while chunk.execute(WITHOUT_CARD):
            cards += chunk.execute(NEW_CARDS, values)
        log_activities_from(TELL, values, actor=chunk.actor, now=chunk.now)
    if cards:
        refresh_search_terms_from("SELECT customer_id FROM loyalty_enrolled")
    chunk.execute("DROP TABLE loyalty_enrolling, loyalty_enrolled")
    return ApplyCounts(
        created={"members": members, "cards": cards}, treated={"joined_in_future": to_come} if to_come else {}
    )


def _programme(chunk: Chunk) -> Programme | None:
    """The programme that the file enrols in: the one named, else the only one.

    None where there is no programme yet and nobody asked to be enrolled by option. Raises InvalidInput.
    """
    active = Programme.objects.filter(is_active=True)
    if code := chunk.options.get("programme", ""):
        active = active.filter(code=code)
    elif chunk.options.get("enrol") != "yes" and not active.exists():
        return None
    found = list(active.order_by("pk")[:2])
    if len(found) != 1:
        raise InvalidInput(
            _("Which programme do these members join? Create one first, or name one by the option “programme”."),
            details={"option": "programme"},
        )
    return found[0]
