"""What the models are given of the warehouse's tables, in DuckDB's SQL. No Django."""


def purchases_sql(currency: str, *, with_cost: bool) -> str:
    """Customer, date, purchase, amount and profit from `purchases` and `purchase_lines`.

    The receipt's amount is what the customer paid; profit is known for the lines with a cost (their own, else the
    product's). A receipt gives a row for the part with a known profit and one for the rest.
    """
    sold = f"""
        SELECT customer_id AS customer, occurred_on AS date, purchase_id AS purchase, net_amount AS amount, cost_amount
        FROM purchases WHERE NOT is_voided AND customer_id IS NOT NULL AND currency = '{currency}'
    """  # noqa: S608 (a currency code)
    if not with_cost:
        return f"SELECT * EXCLUDE (cost_amount) FROM ({sold})"  # noqa: S608
    return f"""
        WITH sold AS ({sold}),
        costed AS (
            SELECT l.purchase_id, l.net_amount,
                   coalesce(l.cost_amount, round(p.cost * l.quantity, 2)::DECIMAL(16,2)) AS cost
            FROM purchase_lines l LEFT JOIN products p USING (product_id)
            WHERE NOT l.is_voided AND l.customer_id IS NOT NULL AND l.currency = '{currency}'
        ),
        known AS (
            SELECT purchase_id AS purchase, sum(net_amount) AS amount, sum(cost) AS cost
            FROM costed WHERE cost IS NOT NULL GROUP BY purchase_id
        )
        SELECT s.customer, s.date, s.purchase, k.amount::DECIMAL(18,2) AS amount,
               (k.amount - k.cost)::DECIMAL(18,2) AS profit
        FROM sold s JOIN known k USING (purchase)
        UNION ALL
        SELECT s.customer, s.date, s.purchase, (s.amount - coalesce(k.amount, 0))::DECIMAL(18,2) AS amount,
               CASE WHEN k.purchase IS NULL THEN s.amount - s.cost_amount END::DECIMAL(18,2) AS profit
        FROM sold s LEFT JOIN known k USING (purchase)
        WHERE k.purchase IS NULL OR s.amount <> k.amount
    """  # noqa: S608 (a currency code)


def lines_sql(currency: str) -> str:
    """Lines of identified customers that count, with their product's place in the catalogue.

    ``customer``, ``date``, ``basket`` (the receipt), ``line``, ``product``, ``product_name``, ``brand``, ``category_1``
    to ``category_3``, ``quantity``, ``amount`` (paid), ``discount``, ``cost`` (its own, else the product's; may be
    empty), ``branch``, ``kind`` (sale or return; amounts and quantities of a return are negative).
    """
    return f"""
        SELECT l.customer_id AS customer, l.occurred_on AS date, l.purchase_id AS basket, l.line_no AS line,
               l.product_id AS product, p.name AS product_name, p.brand, p.category_1, p.category_2, p.category_3,
               l.quantity, l.net_amount AS amount, l.discount_amount AS discount,
               coalesce(l.cost_amount, round(p.cost * l.quantity, 2)::DECIMAL(16,2)) AS cost,
               l.branch_id AS branch, l.kind
        FROM purchase_lines l LEFT JOIN products p USING (product_id)
        WHERE NOT l.is_voided AND l.customer_id IS NOT NULL AND l.currency = '{currency}'
    """  # noqa: S608 (a currency code)
