"""Every read of the gift catalogue, by topic."""

from patron.business.gifts.queries.catalogue import CatalogueRow, Offer, catalogue, get_gift, offer_for, offers_for
from patron.business.gifts.queries.figures import GiftFigures, StockFault, check_stock, redemption_figures
from patron.business.gifts.queries.orders import (
    OrderPage,
    WaitingCount,
    events_of,
    find_member,
    find_open_by_code,
    get_order,
    get_order_of_key,
    orders_of,
    uncollected_orders,
    waiting,
    worklist,
)
from patron.business.gifts.queries.stock import ShelfRow, movements_of, shelves_of_branch, shelves_of_gift

__all__ = [
    "CatalogueRow",
    "GiftFigures",
    "Offer",
    "OrderPage",
    "ShelfRow",
    "StockFault",
    "WaitingCount",
    "catalogue",
    "check_stock",
    "events_of",
    "find_member",
    "find_open_by_code",
    "get_gift",
    "get_order",
    "get_order_of_key",
    "movements_of",
    "offer_for",
    "offers_for",
    "orders_of",
    "redemption_figures",
    "shelves_of_branch",
    "shelves_of_gift",
    "uncollected_orders",
    "waiting",
    "worklist",
]
