"""Every read of customers' files, by topic."""

from patron.core.customers.queries.file import (
    CustomerBrief,
    CustomerFile,
    current_consents,
    customer_brief,
    customer_file,
)
from patron.core.customers.queries.identifying import identify_customer
from patron.core.customers.queries.listing import (
    Count,
    CustomerPage,
    CustomerRow,
    count_customers,
    list_customers,
    walk_customers,
)
from patron.core.customers.queries.visible import (
    get_visible_customer,
    get_visible_customers,
    require_visible,
    sees_personal,
)

__all__ = [
    "Count",
    "CustomerBrief",
    "CustomerFile",
    "CustomerPage",
    "CustomerRow",
    "count_customers",
    "current_consents",
    "customer_brief",
    "customer_file",
    "get_visible_customer",
    "get_visible_customers",
    "identify_customer",
    "list_customers",
    "require_visible",
    "sees_personal",
    "walk_customers",
]
