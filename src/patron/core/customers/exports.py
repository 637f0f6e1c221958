"""What the warehouse may read of customers: no names, no phones, no addresses of e-mail, no day of birth."""

from patron.kernel.exports import COUNT, Export, ExportColumn, Total, exports

exports.register(
    Export(
        name="customers",
        meaning="Everyone on file, without names and contacts. One row for each; the place is the primary address.",
        select="""
            SELECT c.id AS customer_id, c.number, c.kind, c.status, c.sex,
                   extract(year FROM c.birth_on)::int AS birth_year, c.occupation, c.language, c.preferred_channel,
                   c.home_branch_id, c.registered_on, a.district, a.city, a.region, a.country, a.latitude, a.longitude,
                   coalesce(w.has_phone, false) AS has_phone, coalesce(w.has_email, false) AS has_email,
                   coalesce(w.has_chat, false) AS has_chat, coalesce(a.has_post, false) AS has_post
            FROM customers_customer c
            LEFT JOIN LATERAL (
                SELECT district, city, region, country, latitude, longitude, lines <> '' AS has_post
                FROM customers_address WHERE customer_id = c.id AND is_primary ORDER BY id LIMIT 1
            ) a ON true
            LEFT JOIN LATERAL (
                SELECT bool_or(kind = 'phone') AS has_phone, bool_or(kind = 'email') AS has_email,
                       bool_or(kind NOT IN ('phone', 'email')) AS has_chat
                FROM customers_contactpoint WHERE customer_id = c.id
            ) w ON true
            WHERE {rows}
        """,
        columns=(
            ExportColumn("customer_id", "int64", "Key of the customer."),
            ExportColumn("number", "string", "Number that staff and letters use."),
            ExportColumn("kind", "string", "individual, household, organisation, intermediary, indirect, internal, …"),
            ExportColumn("status", "string", "active, archived or blocked."),
            ExportColumn("sex", "string", "female, male, other; empty when not known."),
            ExportColumn("birth_year", "int32", "Year of birth."),
            ExportColumn("occupation", "string", "Occupation; empty when not known."),
            ExportColumn("language", "string", "Language the customer prefers."),
            ExportColumn("preferred_channel", "string", "Channel the customer prefers."),
            ExportColumn("home_branch_id", "int64", "Branch that looks after the customer."),
            ExportColumn("registered_on", "date", "Day of registration."),
            ExportColumn("district", "string", "District of the primary address."),
            ExportColumn("city", "string", "City."),
            ExportColumn("region", "string", "Region or province."),
            ExportColumn("country", "string", "Country."),
            ExportColumn("latitude", "decimal(9,6)", "Degrees north."),
            ExportColumn("longitude", "decimal(9,6)", "Degrees east."),
            ExportColumn("has_phone", "bool", "Whether a phone number is on file."),
            ExportColumn("has_email", "bool", "Whether an e-mail address is on file."),
            ExportColumn("has_chat", "bool", "Whether an account of WeChat, LINE or WhatsApp is on file."),
            ExportColumn("has_post", "bool", "Whether the primary address has a street, so that letters arrive."),
        ),
        key=("customer_id",),
        load="upsert",
        # A change of address or contact writes the customer too (see the migrations that keep it so).
        changed="CHANGED(c)",
        tracked=("customers_customer",),
        tables=("customers_customer", "customers_address", "customers_contactpoint"),
        slice_by="c.id",
        slice_table="customers_customer",
        totals_from="customers_customer",
        totals=(COUNT, Total("with_branch", "count(home_branch_id)", "count(home_branch_id)")),
    )
)

exports.register(
    Export(
        name="consents",
        meaning=(
            "What customers allowed or refused. One row for each answer; the latest by given_at, then consent_id, "
            "counts: of its channel or of any, whichever is later. No answer is no."
        ),
        select="""
            SELECT c.id AS consent_id, c.customer_id, c.purpose, c.channel, c.granted, c.given_at,
                (c.given_at AT TIME ZONE {zone})::date AS given_on, c.source, c.recorded_at
            FROM customers_consent c WHERE {rows}
        """,
        columns=(
            ExportColumn("consent_id", "int64", "Key of the answer."),
            ExportColumn("customer_id", "int64", "Who said so."),
            ExportColumn("purpose", "string", "marketing, service, profiling or partners."),
            ExportColumn("channel", "string", "sms, email, phone, post, app, or any."),
            ExportColumn("granted", "bool", "Allowed, or else refused."),
            ExportColumn("given_at", "timestamp", "When they said so."),
            ExportColumn("given_on", "date", "Calendar day in the house's time zone."),
            ExportColumn("source", "string", "How it is known: form, till, file, phone call …"),
            ExportColumn("recorded_at", "timestamp", "When it was written down."),
        ),
        key=("consent_id",),
        load="append",
        changed="CHANGED(c)",
        tracked=("customers_consent",),
        tables=("customers_consent",),
        slice_by="c.id",
        slice_table="customers_consent",
        totals_from="customers_consent",
        totals=(
            COUNT,
            Total("granted", "count(*) FILTER (WHERE granted)", "count(*) FILTER (WHERE granted)"),
        ),
    )
)

exports.register(
    Export(
        name="relations",
        meaning=(
            "Who belongs to whom: households and their members, key persons, payers, referrers. One row for each, "
            "read as: customer_id is kind of other_id."
        ),
        select="""
            SELECT r.id AS relation_id, r.customer_id, r.other_id, r.kind, r.since_on
            FROM customers_relation r WHERE {rows}
        """,
        columns=(
            ExportColumn("relation_id", "int64", "Key of the relation."),
            ExportColumn("customer_id", "int64", "For example the member of a household."),
            ExportColumn("other_id", "int64", "For example the household: a customer of that kind."),
            ExportColumn("kind", "string", "member, key_person, payer, parent, spouse or referrer."),
            ExportColumn("since_on", "date", "Since when, where known."),
        ),
        key=("relation_id",),
        load="replace",
        changed="CHANGED(r)",
        tracked=("customers_relation",),
        tables=("customers_relation",),
        slice_by="r.id",
        slice_table="customers_relation",
        totals_from="customers_relation",
    )
)
