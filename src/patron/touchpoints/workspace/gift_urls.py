"""Addresses of the gift catalogue, its shelves and the gift desk."""

from django.urls import URLPattern, path

from patron.touchpoints.workspace.views import gift_desk, gift_orders, gift_stock, gifts

urlpatterns: list[URLPattern] = [
    path("loyalty/gifts/", gifts.gift_list, name="gifts"),
    path("loyalty/gifts/new/", gifts.gift_new, name="gift-new"),
    path("loyalty/gifts/<str:code>/edit/", gifts.gift_edit, name="gift-edit"),
    path("loyalty/gifts/<str:code>/offer/", gifts.gift_offer, name="gift-offer"),
    path("loyalty/gifts/<str:code>/picture/", gifts.gift_picture, name="gift-picture"),
    path("loyalty/gift-stock/", gift_stock.stock, name="gift-stock"),
    path("loyalty/gift-stock/<str:branch>/<str:code>/", gift_stock.shelf, name="gift-shelf"),
    path("loyalty/gift-desk/", gift_desk.desk, name="gift-desk"),
    path("loyalty/gift-desk/redeem/", gift_desk.redeem, name="gift-redeem"),
    path("loyalty/gift-desk/pick-up/", gift_desk.pick_up, name="gift-pick-up"),
    path("loyalty/gift-orders/<int:order_id>/", gift_orders.order, name="gift-order"),
    path("loyalty/gift-orders/<int:order_id>/move/", gift_orders.move, name="gift-order-move"),
    path("loyalty/gift-orders/<int:order_id>/cancel/", gift_orders.cancel, name="gift-order-cancel"),
]
