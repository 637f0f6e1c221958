"""What the warehouse may read of the loyalty programme."""

from patron.kernel.exports import COUNT, Export, ExportColumn, Total, exports

exports.register(
    Export(
        name="memberships",
        meaning="Customers in a loyalty programme. One row for each membership.",
        select="""
            SELECT m.id AS membership_id, m.customer_id, r.code AS programme, m.status, m.joined_on
            FROM loyalty_membership m JOIN loyalty_programme r ON r.id = m.programme_id WHERE {rows}
        """,
        columns=(
            ExportColumn("membership_id", "int64", "Key of the membership."),
            ExportColumn("customer_id", "int64", "The member."),
            ExportColumn("programme", "string", "Code of the programme."),
            ExportColumn("status", "string", "active, suspended or closed."),
            ExportColumn("joined_on", "date", "Day of joining."),
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
                (t.occurred_at AT TIME ZONE {zone})::date AS occurred_on, t.purchase_id
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
                t.purchase_id
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
