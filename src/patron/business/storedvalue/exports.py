"""What the warehouse may read of stored value."""

from patron.kernel.exports import COUNT, Export, ExportColumn, Total, exports

_OF_MONEY = "loyalty_ledgertransaction"

exports.register(
    Export(
        name="stored_value",
        meaning="Movements of members' stored value: deposits, bonus, payments … One row for each movement.",
        select="""
            SELECT t.id AS transaction_id, t.membership_id, (t.explanation ->> 'branch')::bigint AS branch_id,
                CASE WHEN t.kind = 'expire' THEN 'expiry' ELSE t.explanation ->> 'what' END AS what,
                t.explanation ->> 'tender' AS tender, t.amount,
                (t.explanation ->> 'paid_out')::numeric(18, 2) AS paid_out, t.occurred_at,
                (t.occurred_at AT TIME ZONE {zone})::date AS occurred_on, t.purchase_id
            FROM loyalty_ledgertransaction t WHERE t.unit = 'stored_value' AND {rows}
        """,
        columns=(
            ExportColumn("transaction_id", "int64", "Key of the movement."),
            ExportColumn("membership_id", "int64", "Membership; the member is the customer of `memberships`."),
            ExportColumn("branch_id", "int64", "Where; empty for what no branch did, such as expiry."),
            ExportColumn("what", "string", "deposit, bonus, payment, refund, withdrawal, bonus_back or expiry."),
            ExportColumn("tender", "string", "How a deposit was paid, or a withdrawal paid out."),
            ExportColumn("amount", "decimal(18,2)", "What it gave the member (negative: took)."),
            ExportColumn("paid_out", "decimal(18,2)", "What a withdrawal put into the member's hand."),
            ExportColumn("occurred_at", "timestamp", "When."),
            ExportColumn("occurred_on", "date", "Calendar day in the house's time zone."),
            ExportColumn("purchase_id", "int64", "The receipt behind it, where it is on file."),
        ),
        key=("transaction_id",),
        load="append",
        changed="CHANGED(t)",
        tracked=(_OF_MONEY,),
        tables=(_OF_MONEY,),
        slice_by="t.id",
        slice_table=_OF_MONEY,
        totals_from=f"{_OF_MONEY} WHERE unit = 'stored_value'",
        totals=(COUNT, Total("amount", "sum(amount)", "sum(amount)")),
    )
)
