"""What the warehouse may read of vouchers. Codes are not exported: whoever knows one can use it."""

from patron.kernel.exports import COUNT, Export, ExportColumn, Total, exports

exports.register(
    Export(
        name="vouchers",
        meaning="Vouchers that were issued. One row for each voucher.",
        select="""
            SELECT v.id AS voucher_id, v.membership_id, d.code AS definition, d.terms ->> 'kind' AS kind, v.status,
                v.uses, v.uses_left, v.amount, v.remaining, v.valid_from, v.valid_until, v.issued_at,
                (v.issued_at AT TIME ZONE {zone})::date AS issued_on,
                split_part(v.occasion, ':', 1) AS occasion
            FROM vouchers_voucher v JOIN vouchers_voucherdefinition d ON d.id = v.definition_id WHERE {rows}
        """,
        columns=(
            ExportColumn("voucher_id", "int64", "Key of the voucher."),
            ExportColumn("membership_id", "int64", "The member who has it; empty for whoever holds the code."),
            ExportColumn("definition", "string", "Code of the kind of voucher."),
            ExportColumn("kind", "string", "amount, percent, product, free_item or shipping."),
            ExportColumn("status", "string", "issued, used, cancelled or expired."),
            ExportColumn("uses", "int64", "How often it may be used in all."),
            ExportColumn("uses_left", "int64", "How often it may still be used."),
            ExportColumn("amount", "decimal(16,2)", "What a cash voucher held at first; empty for others."),
            ExportColumn("remaining", "decimal(16,2)", "What a cash voucher still holds; empty for others."),
            ExportColumn("valid_from", "date", "First day on which it can be used."),
            ExportColumn("valid_until", "date", "Last day on which it can be used; empty for ever."),
            ExportColumn("issued_at", "timestamp", "When it was issued."),
            ExportColumn("issued_on", "date", "Calendar day in the house's time zone."),
            ExportColumn("occasion", "string", "Why: enrolment, birthday, tier, points, campaign, codes, hand …"),
        ),
        key=("voucher_id",),
        load="upsert",
        changed="CHANGED(v)",
        tracked=("vouchers_voucher",),
        tables=("vouchers_voucher", "vouchers_voucherdefinition"),
        slice_by="v.id",
        slice_table="vouchers_voucher",
        totals_from="vouchers_voucher",
        totals=(COUNT, Total("uses_left", "sum(uses_left)", "sum(uses_left)")),
    )
)

exports.register(
    Export(
        name="voucher_uses",
        meaning="Uses of vouchers, and uses that were undone. One row for each.",
        select="""
            SELECT u.id AS use_id, u.voucher_id, u.membership_id, u.purchase_id, u.branch_id, u.state, u.undoes_id,
                CASE u.state WHEN 'undone' THEN -u.amount ELSE u.amount END AS amount, u.basket_amount, u.at,
                (u.at AT TIME ZONE {zone})::date AS used_on
            FROM vouchers_voucheruse u WHERE {rows}
        """,
        columns=(
            ExportColumn("use_id", "int64", "Key of the use."),
            ExportColumn("voucher_id", "int64", "The voucher."),
            ExportColumn("membership_id", "int64", "The member who used it, where known."),
            ExportColumn("purchase_id", "int64", "The receipt it was used on, where known."),
            ExportColumn("branch_id", "int64", "Where."),
            ExportColumn("state", "string", "committed, or undone: then it names the use in undoes_id."),
            ExportColumn("undoes_id", "int64", "The use that this row undoes."),
            ExportColumn("amount", "decimal(16,2)", "Money it gave; below zero for one that was undone."),
            ExportColumn("basket_amount", "decimal(16,2)", "What the basket cost before vouchers."),
            ExportColumn("at", "timestamp", "When."),
            ExportColumn("used_on", "date", "Calendar day in the house's time zone."),
        ),
        key=("use_id",),
        load="append",
        changed="CHANGED(u)",
        tracked=("vouchers_voucheruse",),
        tables=("vouchers_voucheruse",),
        slice_by="u.id",
        slice_table="vouchers_voucheruse",
        totals_from="vouchers_voucheruse",
        totals=(
            COUNT,
            Total("amount", "sum(CASE state WHEN 'undone' THEN -amount ELSE amount END)", "sum(amount)"),
        ),
    )
)
