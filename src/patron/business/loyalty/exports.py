"""What the warehouse may read of the loyalty programme. Card numbers and reasons that staff wrote are not exported."""

from patron.kernel.exports import COUNT, Export, ExportColumn, Total, exports

exports.register(
    Export(
        name="memberships",
        meaning="Customers in a loyalty programme. One row for each membership.",
        select="""
            SELECT m.id AS membership_id, m.customer_id, r.code AS programme, m.status, m.joined_on, m.tier,
                m.tier_since, m.tier_until, m.tier_invited, m.referred_by_id, m.pool_id
            FROM loyalty_membership m JOIN loyalty_programme r ON r.id = m.programme_id WHERE {rows}
        """,
        columns=(
            ExportColumn("membership_id", "int64", "Key of the membership."),
            ExportColumn("customer_id", "int64", "The member."),
            ExportColumn("programme", "string", "Code of the programme."),
            ExportColumn("status", "string", "active, suspended or closed."),
            ExportColumn("joined_on", "date", "Day of joining."),
            ExportColumn("tier", "string", "Code of the tier held now; empty for none. Its past: `tier_changes`."),
            ExportColumn("tier_since", "date", "Since when."),
            ExportColumn("tier_until", "date", "Last day of the tier before its review; empty for without end."),
            ExportColumn("tier_invited", "bool", "Whether the tier was granted by invitation."),
            ExportColumn("referred_by_id", "int64", "Membership of who brought the member."),
            ExportColumn("pool_id", "int64", "Household that shares its points: the same for all who share."),
        ),
        key=("membership_id",),
        load="upsert",
        changed="CHANGED(m)",
        tracked=("loyalty_membership",),
        tables=("loyalty_membership", "loyalty_programme"),
        slice_by="m.id",
        slice_table="loyalty_membership",
        totals_from="loyalty_membership",
    )
)

exports.register(
    Export(
        name="points",
        meaning="Movements of the ledger: points, qualifying points, stored value, stamps. One row for each movement.",
        select="""
            SELECT t.id AS transaction_id, t.membership_id, t.unit, t.kind, t.amount, t.occurred_at,
                (t.occurred_at AT TIME ZONE {zone})::date AS occurred_on, t.purchase_id, t.basis_amount,
                t.origin_id, t.rule_id AS version_id
            FROM loyalty_ledgertransaction t WHERE {rows}
        """,
        columns=(
            ExportColumn("transaction_id", "int64", "Key of the movement."),
            ExportColumn("membership_id", "int64", "Membership; the member is the customer of `memberships`."),
            ExportColumn("unit", "string", "points, qualifying, stored_value or stamps: never add up different ones."),
            ExportColumn("kind", "string", "earn, return, spend, refund, expire, adjust …"),
            ExportColumn("amount", "decimal(18,2)", "How much moved, as the ledger signs it."),
            ExportColumn("occurred_at", "timestamp", "When."),
            ExportColumn("occurred_on", "date", "Calendar day in the house's time zone."),
            ExportColumn("purchase_id", "int64", "The receipt behind it, where there is one."),
            ExportColumn("basis_amount", "decimal(16,2)", "Money that it answers to; negative for a return."),
            ExportColumn("origin_id", "int64", "Movement it answers: the award taken back, the giver's side …"),
            ExportColumn("version_id", "int64", "Version of the programme that it was earned under."),
        ),
        key=("transaction_id",),
        load="append",
        changed="CHANGED(t)",
        tracked=("loyalty_ledgertransaction",),
        tables=("loyalty_ledgertransaction",),
        month_of="occurred_on",
        slice_by="t.id",
        slice_table="loyalty_ledgertransaction",
        totals_from="loyalty_ledgertransaction",
        totals=(COUNT, Total("amount", "sum(amount)", "sum(amount)")),
    )
)

exports.register(
    Export(
        name="tier_changes",
        meaning="Decisions about members' tiers. One row for each: reached, kept, lost, granted, revoked.",
        select="""
            SELECT t.id AS tier_change_id, t.membership_id, t.before, t.after, t.reason, t.effective_at,
                (t.effective_at AT TIME ZONE {zone})::date AS effective_on, t.until, t.measure, t.value, t.threshold,
                t.purchase_id, t.version_id
            FROM loyalty_tierchange t WHERE {rows}
        """,
        columns=(
            ExportColumn("tier_change_id", "int64", "Key of the decision."),
            ExportColumn("membership_id", "int64", "Membership; the member is the customer of `memberships`."),
            ExportColumn("before", "string", "Code of the tier before; empty for none."),
            ExportColumn("after", "string", "Code of the tier since; the same where it was kept."),
            ExportColumn("reason", "string", "upgrade, kept, down, soft_landing, invited, invitation_over, revoked."),
            ExportColumn("effective_at", "timestamp", "Since when it counts."),
            ExportColumn("effective_on", "date", "Calendar day in the house's time zone."),
            ExportColumn("until", "date", "Last day of the tier; none for a tier without end, or for no tier."),
            ExportColumn("measure", "string", "What was measured: qualifying, spend or visits; empty by hand."),
            ExportColumn("value", "decimal(18,2)", "How much of it there was."),
            ExportColumn("threshold", "decimal(18,2)", "How much the tier asks for."),
            ExportColumn("purchase_id", "int64", "The receipt that reached it, where there is one."),
            ExportColumn("version_id", "int64", "Version of the programme that decided."),
        ),
        key=("tier_change_id",),
        load="append",
        changed="CHANGED(t)",
        tracked=("loyalty_tierchange",),
        tables=("loyalty_tierchange",),
        slice_by="t.id",
        slice_table="loyalty_tierchange",
        totals_from="loyalty_tierchange",
    )
)

exports.register(
    Export(
        name="programmes",
        meaning="Loyalty programmes. One row for each.",
        select="""
            SELECT r.id AS programme_id, r.code, r.name, r.currency, r.debt, r.point_value, r.is_active, r.created_at
            FROM loyalty_programme r WHERE {rows}
        """,
        columns=(
            ExportColumn("programme_id", "int64", "Key of the programme."),
            ExportColumn("code", "string", "Its code: the programme of `memberships`."),
            ExportColumn("name", "string", "Its name."),
            ExportColumn("currency", "string", "ISO 4217 code of the money that its rules speak of."),
            ExportColumn("debt", "string", "What becomes of points owed: offset, block or forgive."),
            ExportColumn("point_value", "decimal(12,6)", "What a point is worth in money, for the liability."),
            ExportColumn("is_active", "bool", "Whether it runs."),
            ExportColumn("created_at", "timestamp", "When it was set up."),
        ),
        key=("programme_id",),
        load="upsert",
        changed="CHANGED(r)",
        tracked=("loyalty_programme",),
        tables=("loyalty_programme",),
        slice_by="r.id",
        slice_table="loyalty_programme",
        totals_from="loyalty_programme",
    )
)

exports.register(
    Export(
        name="programme_versions",
        meaning="Terms of programmes: how points are earned, expire and lift a tier. One row for each version.",
        select="""
            SELECT v.id AS version_id, r.code AS programme, v.version, v.valid_from, v.terms::text AS terms,
                v.created_at
            FROM loyalty_programmeversion v JOIN loyalty_programme r ON r.id = v.programme_id WHERE {rows}
        """,
        columns=(
            ExportColumn("version_id", "int64", "Key of the version."),
            ExportColumn("programme", "string", "Code of the programme."),
            ExportColumn("version", "int64", "Its number within the programme."),
            ExportColumn("valid_from", "timestamp", "Since when it counts, up to the next one."),
            ExportColumn("terms", "string", "The terms, as JSON."),
            ExportColumn("created_at", "timestamp", "When it was published."),
        ),
        key=("version_id",),
        load="append",
        changed="CHANGED(v)",
        tracked=("loyalty_programmeversion",),
        tables=("loyalty_programmeversion", "loyalty_programme"),
        slice_by="v.id",
        slice_table="loyalty_programmeversion",
        totals_from="loyalty_programmeversion",
    )
)

exports.register(
    Export(
        name="cards",
        meaning="Members' cards, without their numbers. One row for each card, also those lost or replaced.",
        select="""
            SELECT c.id AS card_id, c.membership_id, c.status, c.issued_at,
                (c.issued_at AT TIME ZONE {zone})::date AS issued_on, c.blocked_at
            FROM loyalty_card c WHERE {rows}
        """,
        columns=(
            ExportColumn("card_id", "int64", "Key of the card."),
            ExportColumn("membership_id", "int64", "Membership; the member is the customer of `memberships`."),
            ExportColumn("status", "string", "active, lost or replaced."),
            ExportColumn("issued_at", "timestamp", "When it was issued."),
            ExportColumn("issued_on", "date", "Calendar day in the house's time zone."),
            ExportColumn("blocked_at", "timestamp", "Since when it cannot be used; empty while it can."),
        ),
        key=("card_id",),
        load="upsert",
        changed="CHANGED(c)",
        tracked=("loyalty_card",),
        tables=("loyalty_card",),
        slice_by="c.id",
        slice_table="loyalty_card",
        totals_from="loyalty_card",
    )
)

_HELD = "bucket IN ('available', 'pending', 'reserved')"

exports.register(
    Export(
        name="point_balances",
        meaning="What members have now, by unit and whether it can be used. One row for each that was ever moved.",
        select=f"""
            SELECT a.id AS account_id, a.membership_id, a.unit, a.bucket, a.balance
            FROM loyalty_account a WHERE a.{_HELD} AND {{rows}}
        """,  # noqa: S608 (our own SQL)
        columns=(
            ExportColumn("account_id", "int64", "Key of the account."),
            ExportColumn("membership_id", "int64", "Membership; the member is the customer of `memberships`."),
            ExportColumn("unit", "string", "points, qualifying, stored_value or stamps: never add up different ones."),
            ExportColumn("bucket", "string", "available, pending (not usable yet) or reserved."),
            ExportColumn("balance", "decimal(18,2)", "How much; below zero for a debt."),
        ),
        key=("account_id",),
        load="upsert",
        changed="CHANGED(a)",
        tracked=("loyalty_account",),
        tables=("loyalty_account",),
        slice_by="a.id",
        slice_table="loyalty_account",
        totals_from=f"loyalty_account WHERE {_HELD}",
        totals=(COUNT, Total("balance", "sum(balance)", "sum(balance)")),
    )
)

exports.register(
    Export(
        name="point_lots",
        meaning="What was given of points and money, by the day on which it expires. One row for each lot.",
        select="""
            SELECT l.id AS lot_id, a.membership_id, a.unit, a.bucket, l.opened_by_id, l.earned_at,
                (l.earned_at AT TIME ZONE {zone})::date AS earned_on, l.available_on, l.expires_on, l.amount,
                l.remaining
            FROM loyalty_lot l JOIN loyalty_account a ON a.id = l.account_id WHERE {rows}
        """,
        columns=(
            ExportColumn("lot_id", "int64", "Key of the lot."),
            ExportColumn("membership_id", "int64", "Membership; the member is the customer of `memberships`."),
            ExportColumn("unit", "string", "points, qualifying, stored_value or stamps: never add up different ones."),
            ExportColumn("bucket", "string", "available, pending (not usable yet) or reserved."),
            ExportColumn("opened_by_id", "int64", "The movement in `points` that opened it."),
            ExportColumn("earned_at", "timestamp", "When it was earned."),
            ExportColumn("earned_on", "date", "Calendar day in the house's time zone."),
            ExportColumn("available_on", "date", "Day on which a pending lot can be used."),
            ExportColumn("expires_on", "date", "Last day on which it can be used; empty for ever."),
            ExportColumn("amount", "decimal(18,2)", "How much it held at first."),
            ExportColumn("remaining", "decimal(18,2)", "How much it still holds."),
        ),
        key=("lot_id",),
        load="upsert",
        # Lots change by postings alone, and those come with their movement: no column, no index on the till's way.
        changed=(
            "l.id IN (SELECT s.lot_id FROM loyalty_posting s "
            "JOIN loyalty_ledgertransaction t ON t.id = s.transaction_id WHERE CHANGED(t))"
        ),
        tracked=("loyalty_ledgertransaction",),
        tables=("loyalty_lot", "loyalty_account", "loyalty_posting", "loyalty_ledgertransaction"),
        slice_by="l.id",
        slice_table="loyalty_lot",
        totals_from="loyalty_lot",
        totals=(
            COUNT,
            Total("amount", "sum(amount)", "sum(amount)"),
            Total("remaining", "sum(remaining)", "sum(remaining)"),
        ),
    )
)

exports.register(
    Export(
        name="point_reservations",
        meaning="Points set aside for a while. One row for each; the movement is in `points` under the same key.",
        select="""
            SELECT r.transaction_id, t.membership_id, -t.amount AS points, t.occurred_at AS reserved_at, r.until,
                r.state
            FROM loyalty_reservation r JOIN loyalty_ledgertransaction t ON t.id = r.transaction_id WHERE {rows}
        """,
        columns=(
            ExportColumn("transaction_id", "int64", "Key of the movement that set them aside."),
            ExportColumn("membership_id", "int64", "Membership; the member is the customer of `memberships`."),
            ExportColumn("points", "decimal(18,2)", "How many."),
            ExportColumn("reserved_at", "timestamp", "Since when."),
            ExportColumn("until", "timestamp", "Until when at the latest."),
            ExportColumn("state", "string", "open, used or released."),
        ),
        key=("transaction_id",),
        load="upsert",
        # Used and released by a movement that names the one which set them aside.
        changed=(
            "r.transaction_id IN (SELECT coalesce(w.origin_id, w.id) FROM loyalty_ledgertransaction w "
            "WHERE CHANGED(w) AND w.kind IN ('reserve', 'release', 'spend'))"
        ),
        tracked=("loyalty_ledgertransaction",),
        tables=("loyalty_reservation", "loyalty_ledgertransaction"),
        slice_by="r.transaction_id",
        slice_table="loyalty_reservation",
        slice_column="transaction_id",
        totals_from="loyalty_reservation",
        totals=(
            COUNT,
            Total("open", "count(*) FILTER (WHERE state = 'open')", "count(*) FILTER (WHERE state = 'open')"),
        ),
    )
)

exports.register(
    Export(
        name="point_approvals",
        meaning="Adjustments by hand that a second person decides, or decided. One row for each.",
        select="""
            SELECT p.id AS approval_id, p.membership_id, p.points, p.expires_on, p.state, p.asked_at, p.decided_at,
                p.transaction_id
            FROM loyalty_approval p WHERE {rows}
        """,
        columns=(
            ExportColumn("approval_id", "int64", "Key of the request."),
            ExportColumn("membership_id", "int64", "Membership; the member is the customer of `memberships`."),
            ExportColumn("points", "decimal(18,2)", "How many points were asked for; below zero to take some."),
            ExportColumn("expires_on", "date", "Last day on which they could be used; empty for the usual one."),
            ExportColumn("state", "string", "waiting, approved or refused."),
            ExportColumn("asked_at", "timestamp", "When it was asked."),
            ExportColumn("decided_at", "timestamp", "When it was decided; empty while it waits."),
            ExportColumn("transaction_id", "int64", "The movement in `points`, once approved."),
        ),
        key=("approval_id",),
        load="upsert",
        changed="CHANGED(p)",
        tracked=("loyalty_approval",),
        tables=("loyalty_approval",),
        slice_by="p.id",
        slice_table="loyalty_approval",
        totals_from="loyalty_approval",
    )
)
