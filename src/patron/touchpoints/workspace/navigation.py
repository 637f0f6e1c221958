"""What the workspace adds to the navigation."""

from django.utils.translation import gettext_lazy as _

from patron.kernel.ui.navigation import Area, NavItem, register, register_link
from patron.touchpoints.workspace import lists  # noqa: F401 (numbers on pages open the customer list)

register_link("home", "home")
register(NavItem(area=Area.HOME, label=_("Home"), url_name="home", permission="workspace.use", icon="home", order=1))
register_link("search", "search")
register_link("search_suggest", "search-suggest")
register(
    NavItem(
        area=Area.CUSTOMERS,
        label=_("All customers"),
        url_name="customer-list",
        permission="customers.view",
        icon="users",
        order=10,
    )
)
register(
    NavItem(
        area=Area.CUSTOMERS,
        label=_("Register"),
        url_name="customer-register",
        permission="customers.register",
        icon="user-plus",
        order=20,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Gift desk"),
        url_name="gift-desk",
        permission="gifts.redeem",
        icon="building-store",
        order=50,
    )
)
register(NavItem(area=Area.LOYALTY, label=_("Gifts"), url_name="gifts", permission="gifts.view", icon="gift", order=60))
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Gift stock"),
        url_name="gift-stock",
        permission="gifts.view",
        icon="packages",
        order=70,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Vouchers"),
        url_name="vouchers",
        permission="vouchers.view",
        icon="ticket",
        order=40,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Card designs"),
        url_name="card-designs",
        permission="cards.design",
        icon="id",
        order=90,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Stored value"),
        url_name="stored-value",
        permission="storedvalue.report",
        icon="wallet",
        order=90,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Approvals"),
        url_name="approvals",
        permission="loyalty.approve",
        icon="checks",
        order=100,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Expiring points"),
        url_name="points-expiring",
        permission="loyalty.reports",
        icon="hourglass",
        order=110,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Redemptions"),
        url_name="redemptions",
        permission="loyalty.reports",
        icon="shopping-bag-heart",
        order=120,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Points liability"),
        url_name="points-liability",
        permission="loyalty.finance",
        icon="scale",
        order=130,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Ledger journal"),
        url_name="loyalty-journal",
        permission="loyalty.finance",
        icon="book-2",
        order=140,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Worth a look"),
        url_name="loyalty-watch",
        permission="loyalty.watch",
        icon="eye-search",
        order=150,
    )
)
register(
    NavItem(area=Area.INSIGHT, label=_("VIPs"), url_name="vips", permission="reports.view", icon="crown", order=10)
)
register(
    NavItem(
        area=Area.INSIGHT,
        label=_("Customer inventory"),
        url_name="inventory",
        permission="reports.view",
        icon="stack-2",
        order=20,
    )
)
register(
    NavItem(
        area=Area.INSIGHT,
        label=_("Questions"),
        url_name="analyses",
        permission="reports.view",
        icon="bulb",
        order=30,
    )
)
register(
    NavItem(
        area=Area.SETTINGS,
        label=_("Register of models"),
        url_name="analysis-runs",
        permission="insights.parameters",
        icon="list-details",
        order=25,
    )
)
register(
    NavItem(
        area=Area.SETTINGS,
        label=_("Imports"),
        url_name="imports",
        permission="imports.run",
        icon="file-import",
        order=10,
    )
)
register(
    NavItem(
        area=Area.SETTINGS,
        label=_("How customers are judged"),
        url_name="model-settings",
        permission="insights.parameters",
        icon="adjustments",
        order=20,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Programme"),
        url_name="programme",
        permission="loyalty.view",
        icon="award",
        order=10,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Till"),
        url_name="till",
        permission="tills.sell",
        icon="cash-register",
        order=5,
        on_phone=True,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Recent sales"),
        url_name="till-sales",
        permission="tills.sell",
        icon="receipt",
        order=6,
    )
)
register(
    NavItem(
        area=Area.LOYALTY,
        label=_("Terminals"),
        url_name="terminals",
        permission="tills.manage",
        icon="device-desktop",
        order=95,
    )
)
