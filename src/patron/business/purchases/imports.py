"""What a file of purchases may hold: one row for each line of a receipt."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from patron.business.purchases.bulk.apply import apply_chunk, count_known, finish_run
from patron.kernel.intake.contract import Derived, Importer, ImportField, ImportOption, Treatment, importers


def names(listed: str) -> tuple[str, ...]:
    """Header names from a list with commas."""
    return tuple(name.strip() for name in listed.split(","))


FIELDS = (
    ImportField(
        "invoice",
        _("Receipt number"),
        required=True,
        max_length=120,
        aliases=names(
            "invoice no, invoice number, receipt no, receipt number, receipt, basket id, order id, "
            "order no, order number, transaction id, transaction no, bill no, ticket no, 發票號碼, "
            "發票編號, 單號, 交易編號, 交易號碼, 訂單編號, 收據編號, 小票号, 发票号码, 单号, 交易编号, "
            "订单编号, 订单号"
        ),
        help=_("Lines with the same number are one purchase."),
    ),
    ImportField(
        "line_no",
        _("Line number"),
        kind="integer",
        aliases=names("line, line no, line number, item no, 行號, 序號, 行号, 序号"),
    ),
    ImportField(
        "occurred_at",
        _("Time of purchase"),
        kind="instant",
        required=True,
        aliases=names(
            "invoice date, transaction timestamp, sold at, date time, datetime, transaction date, "
            "transaction time, order date, purchase date, purchased at, date, time, timestamp, 交易時間, "
            "交易日期, 銷售日期, 購買日期, 日期, 時間, 交易时间, 销售日期, 购买日期, 订单日期, 时间"
        ),
    ),
    ImportField(
        "branch",
        _("Branch code"),
        max_length=40,
        aliases=names(
            "branch code, branch id, store, store id, store code, store no, shop, shop id, location, "
            "outlet, 分店, 分店編號, 門市, 門市代號, 店號, 门店, 门店编号, 店号"
        ),
    ),
    ImportField(
        "customer",
        _("Customer"),
        max_length=120,
        aliases=names(
            "customer id, customer no, customer number, customer code, household id, household key, "
            "member id, member no, member number, card number, card no, client id, 顧客編號, 客戶編號, "
            "會員編號, 會員卡號, 卡號, 客戶, 顧客, 客户编号, 顾客编号, 会员编号, 会员卡号, 卡号, 客户"
        ),
        help=_("The number under which the till knows the customer; a row without one is an anonymous purchase."),
    ),
    ImportField(
        "product_code",
        _("Product code"),
        max_length=64,
        aliases=names(
            "stock code, product id, product no, product, item code, item id, sku, barcode, upc, plu, "
            "article, 商品編號, 產品編號, 貨號, 商品代碼, 條碼, 品號, 商品编号, 产品编号, 货号, 商品代码, "
            "条码"
        ),
    ),
    ImportField(
        "description",
        _("Product description"),
        max_length=300,
        aliases=names(
            "product name, item name, item, product description, name, 商品名稱, 品名, 產品名稱, 商品, "
            "商品名称, 产品名称"
        ),
    ),
    ImportField(
        "category",
        _("Category"),
        max_length=150,
        aliases=names("product category, department, 類別, 分類, 商品類別, 类别, 分类, 商品类别"),
    ),
    ImportField("quantity", _("Quantity"), kind="decimal", aliases=names("qty, units, count, 數量, 件數, 数量, 件数")),
    ImportField(
        "unit_price",
        _("Unit price"),
        kind="decimal",
        aliases=names("price, unit cost price, sell price, 單價, 價格, 售價, 单价, 价格, 售价"),
    ),
    ImportField(
        "net_amount",
        _("Line amount"),
        kind="decimal",
        aliases=names(
            "sales value, amount, line amount, line total, total, net amount, sales amount, sales, "
            "revenue, 金額, 小計, 銷售金額, 實收金額, 金额, 小计, 销售金额, 实收金额"
        ),
        help=_("What the customer paid for the line. Without it: quantity × unit price − discount."),
    ),
    ImportField(
        "discount",
        _("Discount"),
        kind="decimal",
        aliases=names("discount amount, retail disc, retail discount, markdown, 折扣, 折扣金額, 優惠, 折扣金额, 优惠"),
    ),
    ImportField(
        "coupon_discount",
        _("Coupon discount"),
        kind="decimal",
        aliases=names("coupon disc, coupon amount, voucher discount, 優惠券折扣, 优惠券折扣"),
    ),
    ImportField(
        "other_discount", _("Further discount"), kind="decimal", aliases=names("coupon match disc, other disc")
    ),
    ImportField(
        "coupon",
        _("Coupon code"),
        max_length=60,
        aliases=names("coupon code, coupon upc, voucher code, 優惠券, 优惠券"),
    ),
    ImportField(
        "cost", _("Cost of the line"), kind="decimal", aliases=names("cost amount, line cost, 成本, 成本金額, 成本金额")
    ),
    ImportField(
        "tender",
        _("Means of payment"),
        max_length=20,
        aliases=names("payment method, payment type, payment, tender type, 付款方式, 支付方式"),
    ),
    ImportField("currency", _("Currency"), max_length=3, aliases=names("currency code, 幣別, 貨幣, 币种, 货币")),
    ImportField("country", _("Country"), max_length=100, aliases=names("國家, 国家")),
    ImportField("cashier", _("Cashier"), max_length=100, aliases=names("clerk, operator, 收銀員, 收银员")),
    ImportField(
        "terminal", _("Till"), max_length=40, aliases=names("till, pos, pos no, register, terminal id, 收銀機, 机号")
    ),
    ImportField("channel", _("Channel"), max_length=20, aliases=names("sales channel, 渠道, 通路")),
    ImportField(
        "kind",
        _("Kind (sale or return)"),
        max_length=40,
        aliases=names("type, transaction type, status, 交易類型, 交易类型"),
    ),
)

OPTIONS = (
    ImportOption(
        "currency", _("Currency of the amounts"), default=settings.CURRENCY,
        help=_("Rows that name another currency are rejected."),
    ),
    ImportOption(
        "negative_prices", _("Lines with a negative price"), default="reject",
        choices=(("reject", _("reject")), ("keep", _("keep"))),
    ),
)  # fmt: skip

_RETURN_WORDS = (
    "'return', 'returned', 'refund', 'refunded', 'cancelled', 'canceled', "
    "'退貨', '退货', '退款', '取消', '作廢', '作废'"
)
_IS_RETURN = f"lower(coalesce(kind, '')) IN ({_RETURN_WORDS})"
_SAME_ROW = (
    "hash(invoice, product_code, description, quantity, unit_price, net_amount, discount, customer, "
    "occurred_at, branch)"
)

TREATMENTS = (
    Treatment(
        "other_currency", _("Another currency"), "reject", column="currency", needs=("currency",),
        condition="currency IS NOT NULL AND upper(currency) <> upper(getvariable('currency'))",
        message=_("This row is in another currency than the file's. Convert it, or import it separately."),
    ),
    Treatment(
        "negative_price", _("Negative price (an adjustment, not a sale)"), "reject", column="unit_price",
        condition="unit_price < 0 AND getvariable('negative_prices') = 'reject'",
        message=_("A negative price is an adjustment of the books, not a purchase. Choose “keep” if it belongs in."),
    ),
    Treatment(
        "no_amount", _("Neither a price nor an amount"), "reject", column="net_amount",
        condition="unit_price IS NULL AND net_amount IS NULL",
        message=_("This row has neither a unit price nor an amount. Fill in one of them."),
    ),
    Treatment(
        "no_product", _("Neither product nor description"), "reject", column="product_code", needs=("product_code",),
        condition="product_code IS NULL AND description IS NULL",
        message=_("This row does not say what was sold. Fill in a product code or a description."),
    ),
    Treatment(
        "out_of_range", _("A number beyond all measure"), "reject", column="quantity",
        condition="abs(coalesce(quantity, 0)) >= 1e9 OR abs(coalesce(unit_price, 0)) >= 1e10 "
        "OR abs(coalesce(net_amount, 0)) >= 1e12",
        message=_("This number is too large to be a purchase. Check the columns."),
    ),
    Treatment(
        "line_repeated", _("The same line number again in one receipt: taken once"), "skip", column="line_no",
        needs=("line_no",),
        aggregate="count(line_no) - count(DISTINCT CASE WHEN line_no IS NOT NULL THEN hash(invoice, line_no) END)",
        condition="line_no IS NOT NULL AND row_number() OVER (PARTITION BY invoice, line_no ORDER BY row_no) > 1",
    ),
    Treatment(
        "return_signed", _("Return written with positive numbers: signs changed"), "fix", needs=("kind",),
        condition=f"{_IS_RETURN} AND coalesce(quantity, 1) > 0",
        fixes={"quantity": "-coalesce(quantity, 1)", "net_amount": "-abs(net_amount)"},
    ),
    Treatment(
        "sign_mended", _("Negative quantity with a positive amount: amount made negative"), "fix",
        needs=("net_amount",),
        condition=f"quantity < 0 AND net_amount > 0 AND NOT {_IS_RETURN}",
        fixes={"net_amount": "-net_amount"},
    ),
    Treatment(
        "cancelled", _("Cancelled receipt (its number begins with a letter): recorded as a return"), "note",
        condition="quantity < 0 AND regexp_matches(invoice, '^[A-Za-z]')",
    ),
    Treatment(
        "negative_quantity", _("Negative quantity: recorded as returned goods"), "note",
        condition="quantity < 0 AND NOT regexp_matches(invoice, '^[A-Za-z]')",
    ),
    Treatment(
        "anonymous", _("No customer: kept as an anonymous purchase"), "note", needs=("customer",),
        condition="customer IS NULL",
    ),
    Treatment(
        "no_code", _("No product code: kept with its description"), "note", needs=("product_code",),
        condition="product_code IS NULL AND description IS NOT NULL",
    ),
    Treatment(
        "zero_price", _("Price zero: kept as a gift or sample"), "note",
        condition="unit_price = 0 OR (unit_price IS NULL AND net_amount = 0 AND quantity <> 0)",
    ),
    Treatment(
        "zero_quantity", _("Quantity zero: kept (weighed goods or an adjustment)"), "note", condition="quantity = 0",
    ),
    Treatment(
        "identical", _("Identical rows in one receipt: kept, buying the same twice is normal"), "note",
        aggregate=f"count(*) - count(DISTINCT {_SAME_ROW})",
    ),
    Treatment(
        "other_content", _("Receipt imported before with other content"), "reject",
        message=_("A receipt of this number is on file already with other content. Check which is right."),
    ),
    Treatment("matched", _("Returned lines whose original purchase was found"), "note"),
    Treatment("unmatched", _("Returned lines without an original purchase: kept"), "note"),
)  # fmt: skip

_GROUP_IS_RETURN = "coalesce(bool_or(kind = 'return'), false) OR bool_and(quantity < 0) OR sum(net_amount) < 0"
_QUANTITY = "coalesce(quantity, 1)"
_DISCOUNT = (
    "(CASE WHEN quantity < 0 THEN -1 ELSE 1 END "
    "* (abs(coalesce(discount, 0)) + abs(coalesce(coupon_discount, 0)) + abs(coalesce(other_discount, 0))))"
)
_NET = f"coalesce(round(net_amount, 2), round({_QUANTITY} * unit_price - {_DISCOUNT}, 2))"

importers.register(
    Importer(
        name="purchases",
        label=_("Purchases"),
        things=_("purchases"),
        permission="purchases.import",
        fields=FIELDS,
        options=OPTIONS,
        treatments=TREATMENTS,
        one_of=(("unit_price", "net_amount"),),
        completed={
            "quantity": _QUANTITY,
            "discount": f"round({_DISCOUNT}, 2)",
            "net_amount": _NET,
            "unit_price": f"coalesce(unit_price, CASE WHEN {_QUANTITY} <> 0 "
            f"THEN round((net_amount + {_DISCOUNT})::DOUBLE / {_QUANTITY}, 4) ELSE net_amount + {_DISCOUNT} END)",
            "kind": f"CASE WHEN {_IS_RETURN} THEN 'return' END",
        },
        sort_by=("occurred_at", "invoice"),
        keep_together=("invoice",),
        group_columns=(
            Derived("occurred_at", "instant", "min(occurred_at)"),
            Derived("kind", "text", f"CASE WHEN {_GROUP_IS_RETURN} THEN 'return' ELSE 'sale' END"),
            Derived("net_amount", "decimal", "sum(net_amount)"),
            Derived("discount", "decimal", "sum(discount)"),
            Derived("cost", "decimal", "sum(cost)"),
            Derived("line_count", "integer", "count(*)"),
            *(
                Derived(name, "text", f"min({name})")
                for name in ("customer", "branch", "channel", "cashier", "terminal", "tender")
            ),
        ),
        row_columns=(
            Derived("ordinal", "integer", "row_number() OVER (PARTITION BY group_no ORDER BY line_no, position)"),
        ),
        staged=(
            "product_code",
            "description",
            "category",
            "quantity",
            "unit_price",
            "discount",
            "net_amount",
            "cost",
            "coupon",
            "coupon_discount",
        ),
        chunk_rows=250_000,
        apply=apply_chunk,
        finish=finish_run,
        count_known=count_known,
        help=_("One row for each line of a receipt. Customers, products and branches not on file yet are created."),
    )
)
