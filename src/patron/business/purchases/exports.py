"""What the warehouse may read of purchases."""

from patron.kernel.exports import COUNT, Carried, Export, ExportColumn, Total, exports

exports.register(
    Export(
        name="purchases",
        meaning="Receipts: one row for each sale or return. Amounts of a return are negative.",
        select="""
            SELECT p.id AS purchase_id, p.customer_id, p.branch_id, p.kind, p.status = 'voided' AS is_voided,
                   p.occurred_at,
                   (p.occurred_at AT TIME ZONE coalesce(nullif(b.time_zone, ''), {zone}))::date AS occurred_on,
                   p.channel, p.currency, p.gross_amount, p.discount_amount, p.net_amount, p.cost_amount,
                   p.line_count, p.original_id AS original_purchase_id, p.source, p.terminal, p.recorded_at
            FROM purchases_purchase p LEFT JOIN accounts_branch b ON b.id = p.branch_id WHERE {rows}
        """,
        columns=(
            ExportColumn("purchase_id", "int64", "Key of the receipt."),
            ExportColumn("customer_id", "int64", "Who bought; empty when nobody was identified."),
            ExportColumn("branch_id", "int64", "Where; empty when not known."),
            ExportColumn("kind", "string", "sale or return."),
            ExportColumn("is_voided", "bool", "Whether it was cancelled later: leave such rows out of every figure."),
            ExportColumn("occurred_at", "timestamp", "When, to the second the till gave."),
            ExportColumn("occurred_on", "date", "Calendar day in the branch's time zone."),
            ExportColumn("channel", "string", "store, web, phone …"),
            ExportColumn("currency", "string", "ISO 4217 code; never add up different ones."),
            ExportColumn("gross_amount", "decimal(16,2)", "Before discounts."),
            ExportColumn("discount_amount", "decimal(16,2)", "Discounts, positive on a sale."),
            ExportColumn("net_amount", "decimal(16,2)", "What the customer paid: gross less discount."),
            ExportColumn("cost_amount", "decimal(16,2)", "Cost of the goods, where all of it is known."),
            ExportColumn("line_count", "int32", "Number of lines."),
            ExportColumn("original_purchase_id", "int64", "The sale that a return undoes, where known."),
            ExportColumn("source", "string", "System that told of it; till:… for a till of ours."),
            ExportColumn("terminal", "string", "Code of the till; empty when not known."),
            ExportColumn("recorded_at", "timestamp", "When it came into the house: later than occurred_at when late."),
        ),
        key=("purchase_id",),
        load="upsert",
        changed="CHANGED(p)",
        tracked=("purchases_purchase",),
        tables=("purchases_purchase", "accounts_branch"),
        month_of="occurred_on",
        slice_by="p.id",
        slice_table="purchases_purchase",
        totals_from="purchases_purchase",
        totals=(
            COUNT,
            Total("net_amount", "sum(net_amount)", "sum(net_amount)"),
            Total("voided", "count(*) FILTER (WHERE status = 'voided')", "count(*) FILTER (WHERE is_voided)"),
            Total("with_customer", "count(customer_id)", "count(customer_id)"),
        ),
    )
)

exports.register(
    Export(
        name="purchase_lines",
        meaning="Lines of receipts, with who, where and when of their receipt beside them. One row for each line.",
        select="""
            SELECT l.purchase_id, l.line_no, l.product_id, l.quantity, l.unit_price, l.discount_amount, l.net_amount,
                   l.cost_amount
            FROM purchases_purchaseline l WHERE {rows}
        """,
        columns=(
            ExportColumn("purchase_id", "int64", "Receipt."),
            ExportColumn("line_no", "int32", "Place on the receipt, from 1."),
            ExportColumn("product_id", "int64", "What was bought; empty when not known."),
            ExportColumn("quantity", "decimal(14,3)", "How many; negative on a return."),
            ExportColumn("unit_price", "decimal(16,4)", "Price of one before discounts."),
            ExportColumn("discount_amount", "decimal(16,2)", "Discount on the line."),
            ExportColumn("net_amount", "decimal(16,2)", "What was paid for the line."),
            ExportColumn(
                "cost_amount", "decimal(16,2)", "Cost of the whole line, where known; profit is net less cost."
            ),
        ),
        key=("purchase_id", "line_no"),
        load="upsert",
        # Lines never change, but what they carry from their receipt may.
        changed="l.purchase_id IN (SELECT p.id FROM purchases_purchase p WHERE CHANGED(p))",
        tracked=("purchases_purchase",),
        tables=("purchases_purchase", "purchases_purchaseline", "accounts_branch"),
        month_of="occurred_on",
        detail=True,
        slice_by="l.purchase_id",
        slice_table="purchases_purchase",
        totals_from="purchases_purchaseline",
        totals=(COUNT, Total("net_amount", "sum(net_amount)", "sum(net_amount)")),
        carried=Carried(
            parent="purchases",
            on="purchase_id",
            columns=("customer_id", "branch_id", "kind", "is_voided", "occurred_on", "currency"),
        ),
    )
)

exports.register(
    Export(
        name="tenders",
        meaning="How receipts were paid, with who, where and when beside it. One row for each means of a receipt.",
        select="""
            SELECT t.id AS tender_id, t.purchase_id, t.kind AS tender, t.amount
            FROM purchases_tender t WHERE {rows}
        """,
        columns=(
            ExportColumn("tender_id", "int64", "Key of the payment."),
            ExportColumn("purchase_id", "int64", "Receipt."),
            ExportColumn("tender", "string", "cash, card, points, stored_value, voucher …, as the till says."),
            ExportColumn("amount", "decimal(16,2)", "How much of the receipt it paid."),
        ),
        key=("tender_id",),
        load="upsert",
        # As lines: they never change, but what they carry may.
        changed="t.purchase_id IN (SELECT p.id FROM purchases_purchase p WHERE CHANGED(p))",
        tracked=("purchases_purchase",),
        tables=("purchases_purchase", "purchases_tender", "accounts_branch"),
        month_of="occurred_on",
        detail=True,
        slice_by="t.purchase_id",
        slice_table="purchases_purchase",
        totals_from="purchases_tender",
        totals=(COUNT, Total("amount", "sum(amount)", "sum(amount)")),
        carried=Carried(
            parent="purchases",
            on="purchase_id",
            columns=("customer_id", "branch_id", "kind", "is_voided", "occurred_on", "currency"),
        ),
    )
)
