"""What the warehouse may read of products."""

from patron.kernel.exports import Export, ExportColumn, exports

exports.register(
    Export(
        name="products",
        meaning="Products with their place in the category tree. One row for each.",
        select="""
            SELECT p.id AS product_id, p.code, p.name, p.brand, p.category_id, c.path AS category,
                   nullif(split_part(c.path, ' > ', 1), '') AS category_1,
                   nullif(split_part(c.path, ' > ', 2), '') AS category_2,
                   nullif(split_part(c.path, ' > ', 3), '') AS category_3,
                   p.unit, p.list_price, p.cost, p.is_active
            FROM catalog_product p LEFT JOIN catalog_category c ON c.id = p.category_id WHERE {rows}
        """,
        columns=(
            ExportColumn("product_id", "int64", "Key of the product."),
            ExportColumn("code", "string", "Stock code."),
            ExportColumn("name", "string", "Name."),
            ExportColumn("brand", "string", "Brand; empty when not known."),
            ExportColumn("category_id", "int64", "Key of its node in the category tree."),
            ExportColumn("category", "string", "Names from the root to the node, joined by ' > '."),
            ExportColumn("category_1", "string", "First level of the category."),
            ExportColumn("category_2", "string", "Second level."),
            ExportColumn("category_3", "string", "Third level."),
            ExportColumn("unit", "string", "Unit of sale."),
            ExportColumn("list_price", "decimal(16,4)", "Price where no branch says otherwise."),
            ExportColumn("cost", "decimal(16,4)", "What one unit costs the house at present."),
            ExportColumn("is_active", "bool", "Whether it is still sold."),
        ),
        key=("product_id",),
        load="upsert",
        changed="CHANGED(p) OR CHANGED(c)",
        tracked=("catalog_product", "catalog_category"),
        tables=("catalog_product", "catalog_category"),
        slice_by="p.id",
        slice_table="catalog_product",
        totals_from="catalog_product",
    )
)
