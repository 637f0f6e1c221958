"""What the warehouse may read of card faces: neither what a card shows nor which phone carries it."""

from patron.kernel.exports import Export, ExportColumn, exports

exports.register(
    Export(
        name="card_designs",
        meaning="Versions of the designs of cards. One row for each.",
        select="""
            SELECT d.id AS design_id, r.code AS programme, d.name, d.version, d.tier, d.status, d.created_at,
                d.activated_at
            FROM cards_carddesign d JOIN loyalty_programme r ON r.id = d.programme_id WHERE {rows}
        """,
        columns=(
            ExportColumn("design_id", "int64", "Key of the version."),
            ExportColumn("programme", "string", "Code of the programme."),
            ExportColumn("name", "string", "Name of the design."),
            ExportColumn("version", "int64", "Its version, from 1."),
            ExportColumn("tier", "string", "Code of the tier whose cards have it; empty for all without their own."),
            ExportColumn("status", "string", "draft, active or retired."),
            ExportColumn("created_at", "timestamp", "When it was begun."),
            ExportColumn("activated_at", "timestamp", "When cards got it."),
        ),
        key=("design_id",),
        load="replace",
        changed="CHANGED(d)",
        tracked=("cards_carddesign",),
        tables=("cards_carddesign", "loyalty_programme"),
        slice_by="d.id",
        slice_table="cards_carddesign",
        totals_from="cards_carddesign",
    )
)

exports.register(
    Export(
        name="wallet_passes",
        meaning="Cards that are in the wallet of a phone now. One row for each card and phone.",
        select="""
            SELECT w.id AS pass_id, w.face_id AS card_id, w.pass_type, w.registered_at
            FROM cards_passregistration w WHERE {rows}
        """,
        columns=(
            ExportColumn("pass_id", "int64", "Key of the row."),
            ExportColumn("card_id", "int64", "The card."),
            ExportColumn("pass_type", "string", "Kind of pass."),
            ExportColumn("registered_at", "timestamp", "Since when the phone has it."),
        ),
        key=("pass_id",),
        load="replace",
        changed="CHANGED(w)",
        tracked=("cards_passregistration",),
        tables=("cards_passregistration",),
        slice_by="w.id",
        slice_table="cards_passregistration",
        totals_from="cards_passregistration",
    )
)
