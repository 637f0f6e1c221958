"""What the warehouse may read of gifts."""

from patron.kernel.exports import COUNT, Export, ExportColumn, Total, exports

exports.register(
    Export(
        name="gifts",
        meaning="The gift catalogue. One row for each gift.",
        select="""
            SELECT g.id AS gift_id, g.code, g.name, g.points_price, g.money_price, g.starts_on, g.ends_on, g.is_active
            FROM gifts_gift g WHERE {rows}
        """,
        columns=(
            ExportColumn("gift_id", "int64", "Key of the gift."),
            ExportColumn("code", "string", "Its code."),
            ExportColumn("name", "string", "Its name."),
            ExportColumn("points_price", "decimal(12,2)", "Points that one piece costs now."),
            ExportColumn("money_price", "decimal(12,2)", "Money that one piece costs now, beside the points."),
            ExportColumn("starts_on", "date", "First day on which it is offered; empty for no such day."),
            ExportColumn("ends_on", "date", "Last day on which it is offered; empty for no such day."),
            ExportColumn("is_active", "bool", "Whether it is offered."),
        ),
        key=("gift_id",),
        load="upsert",
        changed="CHANGED(g)",
        tracked=("gifts_gift",),
        tables=("gifts_gift",),
        slice_by="g.id",
        slice_table="gifts_gift",
        totals_from="gifts_gift",
    )
)

exports.register(
    Export(
        name="gift_orders",
        meaning="Orders of gifts by members. One row for each order, as it stands.",
        select="""
            SELECT o.id AS order_id, o.membership_id, o.gift_id, o.branch_id, o.quantity, o.points, o.money,
                   o.currency, o.way, o.state, o.money_refunded, o.ordered_at, o.closed_at
            FROM gifts_giftorder o WHERE {rows}
        """,
        columns=(
            ExportColumn("order_id", "int64", "Key of the order."),
            ExportColumn("membership_id", "int64", "Membership; the member is the customer of `memberships`."),
            ExportColumn("gift_id", "int64", "What was ordered."),
            ExportColumn("branch_id", "int64", "Where it is picked up, or from where it is sent."),
            ExportColumn("quantity", "int32", "Pieces."),
            ExportColumn("points", "decimal(16,2)", "Points spent; given back where the order was cancelled."),
            ExportColumn("money", "decimal(16,2)", "Money to be paid beside the points."),
            ExportColumn("currency", "string", "ISO 4217 code; never add up different ones."),
            ExportColumn("way", "string", "pick_up or delivery."),
            ExportColumn("state", "string", "reserved, ready, handed_over, shipped, delivered or cancelled."),
            ExportColumn("money_refunded", "decimal(16,2)", "Money paid back with a cancellation."),
            ExportColumn("ordered_at", "timestamp", "When it was ordered."),
            ExportColumn("closed_at", "timestamp", "When it was handed over, delivered or cancelled."),
        ),
        key=("order_id",),
        load="upsert",
        changed="CHANGED(o)",
        tracked=("gifts_giftorder",),
        tables=("gifts_giftorder",),
        slice_by="o.id",
        slice_table="gifts_giftorder",
        totals_from="gifts_giftorder",
        totals=(
            COUNT,
            Total("points", "sum(points)", "sum(points)"),
            Total("quantity", "sum(quantity)", "sum(quantity)"),
        ),
    )
)
