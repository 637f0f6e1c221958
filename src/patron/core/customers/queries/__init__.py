"""Every read of customers' files, by topic."""

from patron.core.customers.queries.visible import (
    get_visible_customer,
    get_visible_customers,
    require_visible,
    sees_personal,
)

__all__ = ["get_visible_customer", "get_visible_customers", "require_visible", "sees_personal"]
