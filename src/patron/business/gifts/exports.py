"""What the warehouse may read of gifts. Addresses, pick-up codes and what staff wrote are not exported."""

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

exports.register(
    Export(
        name="gift_order_events",
        meaning="Moves of orders of gifts from state to state. One row for each; the first comes from no state.",
        select="""
            SELECT e.id AS event_id, e.order_id, e.from_state, e.to_state, e.occurred_at,
                (e.occurred_at AT TIME ZONE {zone})::date AS occurred_on
            FROM gifts_giftorderevent e WHERE {rows}
        """,
        columns=(
            ExportColumn("event_id", "int64", "Key of the move."),
            ExportColumn("order_id", "int64", "The order."),
            ExportColumn("from_state", "string", "State before; empty for a new order."),
            ExportColumn("to_state", "string", "State since: as state of `gift_orders`."),
            ExportColumn("occurred_at", "timestamp", "When."),
            ExportColumn("occurred_on", "date", "Calendar day in the house's time zone."),
        ),
        key=("event_id",),
        load="append",
        # Every move writes its order.
        changed="e.order_id IN (SELECT o.id FROM gifts_giftorder o WHERE CHANGED(o))",
        tracked=("gifts_giftorder",),
        tables=("gifts_giftorder", "gifts_giftorderevent"),
        slice_by="e.id",
        slice_table="gifts_giftorderevent",
        totals_from="gifts_giftorderevent",
    )
)

exports.register(
    Export(
        name="gift_stock",
        meaning="Shelves of gifts: what lies in each branch. One row for each gift and branch.",
        select="""
            SELECT s.id AS stock_id, s.gift_id, s.branch_id, s.on_hand, s.reserved FROM gifts_giftstock s WHERE {rows}
        """,
        columns=(
            ExportColumn("stock_id", "int64", "Key of the shelf."),
            ExportColumn("gift_id", "int64", "The gift."),
            ExportColumn("branch_id", "int64", "The branch."),
            ExportColumn("on_hand", "int64", "Pieces that lie there."),
            ExportColumn("reserved", "int64", "Of these, pieces that wait for who ordered them."),
        ),
        key=("stock_id",),
        load="upsert",
        changed="CHANGED(s)",
        tracked=("gifts_giftstock",),
        tables=("gifts_giftstock",),
        slice_by="s.id",
        slice_table="gifts_giftstock",
        totals_from="gifts_giftstock",
        totals=(COUNT, Total("on_hand", "sum(on_hand)", "sum(on_hand)")),
    )
)

exports.register(
    Export(
        name="gift_movements",
        meaning="Pieces of gifts that came to a shelf, left it, or were reserved on it. One row for each movement.",
        select="""
            SELECT m.id AS movement_id, m.stock_id, s.gift_id, s.branch_id, m.kind, m.quantity, m.order_id,
                m.occurred_at, (m.occurred_at AT TIME ZONE {zone})::date AS occurred_on
            FROM gifts_stockmovement m JOIN gifts_giftstock s ON s.id = m.stock_id WHERE {rows}
        """,
        columns=(
            ExportColumn("movement_id", "int64", "Key of the movement."),
            ExportColumn("stock_id", "int64", "The shelf."),
            ExportColumn("gift_id", "int64", "The gift."),
            ExportColumn("branch_id", "int64", "The branch."),
            ExportColumn("kind", "string", "received, corrected, reserved, released, handed_out or returned."),
            ExportColumn("quantity", "int64", "Pieces; below zero only for a correction."),
            ExportColumn("order_id", "int64", "The order behind it, where there is one."),
            ExportColumn("occurred_at", "timestamp", "When."),
            ExportColumn("occurred_on", "date", "Calendar day in the house's time zone."),
        ),
        key=("movement_id",),
        load="append",
        # The shelf is the running total of its movements: each of them writes it.
        changed="CHANGED(s)",
        tracked=("gifts_giftstock",),
        tables=("gifts_giftstock", "gifts_stockmovement"),
        slice_by="m.id",
        slice_table="gifts_stockmovement",
        totals_from="gifts_stockmovement",
        totals=(COUNT, Total("quantity", "sum(quantity)", "sum(quantity)")),
    )
)
