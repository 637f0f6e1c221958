"""What the warehouse may read of vouchers. Codes are not exported: whoever knows one can use it."""

from patron.kernel.exports import COUNT, Carried, Export, ExportColumn, Total, exports

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

exports.register(
    Export(
        name="voucher_definitions",
        meaning="Kinds of vouchers: what they promise, and their limits. One row for each.",
        select="""
            SELECT d.id AS definition_id, d.code, d.name, d.terms ->> 'kind' AS kind, d.terms::text AS terms,
                r.code AS programme, d.issue_on, d.points_price, d.valid_days, d.valid_from, d.valid_until, d.stock,
                d.issued, d.budget, d.spent, d.member_limit, d.is_active, d.created_at
            FROM vouchers_voucherdefinition d LEFT JOIN loyalty_programme r ON r.id = d.programme_id WHERE {rows}
        """,
        columns=(
            ExportColumn("definition_id", "int64", "Key of the kind of voucher."),
            ExportColumn("code", "string", "Its code: the definition of `vouchers`."),
            ExportColumn("name", "string", "Its name."),
            ExportColumn("kind", "string", "amount, percent, product, free_item or shipping."),
            ExportColumn("terms", "string", "What it promises, as JSON."),
            ExportColumn("programme", "string", "Code of the programme whose members get it; empty for any."),
            ExportColumn("issue_on", "string", "manual, enrolment, birthday, tier, points or campaign."),
            ExportColumn("points_price", "decimal(16,2)", "Points that one costs; empty where it is not bought."),
            ExportColumn("valid_days", "int64", "Days that each can be used; empty for no such limit."),
            ExportColumn("valid_from", "date", "First day on which any can be used; empty for no such day."),
            ExportColumn("valid_until", "date", "Last day on which any can be used; empty for no such day."),
            ExportColumn("stock", "int64", "How many may be issued; empty for any number."),
            ExportColumn("issued", "int64", "How many were issued."),
            ExportColumn("budget", "decimal(16,2)", "Money that they may give in all; empty for no limit."),
            ExportColumn("spent", "decimal(16,2)", "What of the budget was given or is held; 0 without a budget."),
            ExportColumn("member_limit", "int64", "How many one member may have; empty for any number."),
            ExportColumn("is_active", "bool", "Whether they are issued."),
            ExportColumn("created_at", "timestamp", "When it was defined."),
        ),
        key=("definition_id",),
        load="upsert",
        changed="CHANGED(d)",
        tracked=("vouchers_voucherdefinition",),
        tables=("vouchers_voucherdefinition", "loyalty_programme"),
        slice_by="d.id",
        slice_table="vouchers_voucherdefinition",
        totals_from="vouchers_voucherdefinition",
        totals=(COUNT, Total("issued", "sum(issued)", "sum(issued)")),
    )
)

#: `rules.normalised`, as the database says it.
_NORMALISED = "left(translate(upper(regexp_replace(u.code, '[^A-Za-z0-9]', '', 'g')), 'ILOU', '110V'), 25)"

exports.register(
    Export(
        name="coupon_uses",
        meaning=(
            "Coupons and vouchers as receipts name them, with who, where and when beside it. One row for each. "
            "Those that are vouchers of this house are in `voucher_uses` too: do not add up both."
        ),
        select=f"""
            SELECT u.id AS coupon_use_id, u.purchase_id, u.line_no, CASE WHEN v.id IS NULL THEN u.code END AS code,
                v.id AS voucher_id, u.amount
            FROM purchases_couponuse u LEFT JOIN vouchers_voucher v ON v.code = {_NORMALISED} WHERE {{rows}}
        """,  # noqa: S608 (our own SQL)
        columns=(
            ExportColumn("coupon_use_id", "int64", "Key of the use."),
            ExportColumn("purchase_id", "int64", "Receipt."),
            ExportColumn("line_no", "int32", "Line that it lowered; empty for the whole receipt."),
            ExportColumn("code", "string", "Code of a coupon from elsewhere; empty for a voucher of this house."),
            ExportColumn("voucher_id", "int64", "The voucher of this house; empty for a coupon from elsewhere."),
            ExportColumn("amount", "decimal(16,2)", "By how much."),
        ),
        key=("coupon_use_id",),
        load="upsert",
        changed="u.purchase_id IN (SELECT p.id FROM purchases_purchase p WHERE CHANGED(p))",
        tracked=("purchases_purchase",),
        tables=("purchases_purchase", "purchases_couponuse", "vouchers_voucher", "accounts_branch"),
        month_of="occurred_on",
        detail=True,
        slice_by="u.purchase_id",
        slice_table="purchases_purchase",
        totals_from="purchases_couponuse",
        totals=(COUNT, Total("amount", "sum(amount)", "sum(amount)")),
        carried=Carried(
            parent="purchases",
            on="purchase_id",
            columns=("customer_id", "branch_id", "kind", "is_voided", "occurred_on", "currency"),
        ),
    )
)
