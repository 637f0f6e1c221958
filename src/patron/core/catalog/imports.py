"""What a product file may hold."""

from django.utils.translation import gettext_lazy as _

from patron.core.catalog.loading import apply_products, count_known_products
from patron.kernel.intake.contract import Importer, ImportField, Treatment, importers

FIELDS = (
    ImportField("code", _("Product code"), required=True, max_length=64, aliases=(
        "id", "product id", "product no", "product number", "stock code", "sku", "item code", "item id", "upc", "plu",
        "商品編號", "產品編號", "貨號", "商品代碼", "品號", "商品编号", "产品编号", "货号", "商品代码",
    )),
    ImportField("name", _("Product name"), max_length=300, aliases=(
        "description", "product", "product description", "item", "title", "商品名稱", "品名", "產品名稱",
        "商品名称", "产品名称",
    )),
    ImportField("brand", _("Brand"), max_length=150, aliases=("make", "manufacturer", "品牌", "牌子")),
    ImportField("category", _("Category"), max_length=600, aliases=(
        "category path", "department", "group", "category 1", "main category", "類別", "分類", "部門",
        "类别", "分类", "部门",
    ), help=_("One name, or a path such as “Food > Dairy > Milk”.")),
    ImportField("category_2", _("Sub-category"), max_length=150, aliases=(
        "category 2", "subcategory", "product category", "commodity", "子類別", "次分類", "子类别", "二级分类",
    )),
    ImportField("category_3", _("Product type"), max_length=150, aliases=(
        "category 3", "subsubcategory", "type", "sub commodity", "細類", "商品類型", "细类", "三级分类", "商品类型",
    )),
    ImportField("list_price", _("List price"), "decimal", aliases=(
        "price", "unit price", "retail price", "售價", "價格", "單價", "定價", "售价", "价格", "单价", "定价",
    )),
    ImportField("cost", _("Cost"), "decimal", aliases=("unit cost", "cost price", "成本", "進貨價", "进货价")),
    ImportField("unit", _("Unit"), max_length=40, aliases=(
        "package size", "size", "uom", "單位", "规格", "規格", "单位",
    )),
    ImportField("barcode", _("Barcode"), max_length=64, aliases=("ean", "ean13", "gtin", "條碼", "国际条码", "条码")),
)  # fmt: skip

TREATMENTS = (
    Treatment(
        "negative_price", _("Negative price"), "reject", column="list_price", condition="list_price < 0",
        message=_("A list price is not negative. Correct it."),
    ),
    Treatment(
        "negative_cost", _("Negative cost"), "fix", column="cost", condition="cost < 0", fixes={"cost": "NULL"},
    ),
    Treatment("no_name", _("No name: the code stands for it"), "note", condition="name IS NULL"),
)  # fmt: skip

importers.register(
    Importer(
        name="products",
        label=_("Products"),
        things=_("products"),
        permission="catalog.manage",
        fields=FIELDS,
        treatments=TREATMENTS,
        unique=("code",),
        sort_by=("row_no",),
        apply=apply_products,
        count_known=count_known_products,
    )
)
