"""What the warehouse may read of products, their categories and prices."""

from patron.kernel.exports import COUNT, Export, ExportColumn, Total, exports

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

exports.register(
    Export(
        name="categories",
        meaning="The category tree. One row for each node, also for those without products.",
        select="""
            SELECT c.id AS category_id, c.parent_id, c.name, c.path, c.depth FROM catalog_category c WHERE {rows}
        """,
        columns=(
            ExportColumn("category_id", "int64", "Key of the node."),
            ExportColumn("parent_id", "int64", "The node above; empty for a root."),
            ExportColumn("name", "string", "Its name."),
            ExportColumn("path", "string", "Names from the root to the node, joined by ' > '."),
            ExportColumn("depth", "int32", "Nodes above it; 0 for a root."),
        ),
        key=("category_id",),
        load="upsert",
        changed="CHANGED(c)",
        tracked=("catalog_category",),
        tables=("catalog_category",),
        slice_by="c.id",
        slice_table="catalog_category",
        totals_from="catalog_category",
    )
)

exports.register(
    Export(
        name="branch_prices",
        meaning="What branches charge where it differs from the list price. One row for each price and its days.",
        select="""
            SELECT b.id AS branch_price_id, b.product_id, b.branch_id, b.price, b.valid_from,
                (SELECT min(n.valid_from) FROM catalog_branchprice n
                 WHERE n.product_id = b.product_id AND n.branch_id = b.branch_id AND n.valid_from > b.valid_from
                ) AS valid_to
            FROM catalog_branchprice b WHERE {rows}
        """,
        columns=(
            ExportColumn("branch_price_id", "int64", "Key of the price."),
            ExportColumn("product_id", "int64", "Product."),
            ExportColumn("branch_id", "int64", "Branch that charges it."),
            ExportColumn("price", "decimal(16,4)", "Price of one unit."),
            ExportColumn("valid_from", "date", "First day."),
            ExportColumn("valid_to", "date", "Day on which the next price took its place; empty while there is none."),
        ),
        key=("branch_price_id",),
        load="upsert",
        # A new price ends the one before it.
        changed=(
            "(b.product_id, b.branch_id) IN (SELECT w.product_id, w.branch_id FROM catalog_branchprice w "
            "WHERE CHANGED(w))"
        ),
        tracked=("catalog_branchprice",),
        tables=("catalog_branchprice",),
        slice_by="b.id",
        slice_table="catalog_branchprice",
        totals_from="catalog_branchprice",
        totals=(COUNT, Total("price", "sum(price)", "sum(price)")),
    )
)
