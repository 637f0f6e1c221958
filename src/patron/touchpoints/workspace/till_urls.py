"""Addresses of the till, what it sold, and the terminals."""

from django.urls import URLPattern, path

from patron.touchpoints.workspace.views import terminals, till, till_sales, till_undoing

urlpatterns: list[URLPattern] = [
    path("till/", till.till, name="till"),
    path("till/terminal/", till.choose_terminal, name="till-terminal"),
    path("till/new-counter/", till.new_counter, name="till-new-counter"),
    path("till/basket/", till.basket, name="till-basket"),
    path("till/quote/", till.quoted, name="till-quote"),
    path("till/products/", till.products, name="till-products"),
    path("till/members/", till.members, name="till-members"),
    path("till/sales/", till_sales.recent, name="till-sales"),
    path("till/sales/<int:entry_id>/", till_sales.sale, name="till-sale"),
    path("till/sales/<int:entry_id>/card.png", till_sales.card, name="till-sale-card"),
    path("till/sales/<int:entry_id>/receipt.escpos", till_sales.slip, name="till-sale-slip"),
    path("till/sales/<int:entry_id>/return/", till_undoing.take_back, name="till-return"),
    path("till/sales/<int:entry_id>/void/", till_undoing.void, name="till-void"),
    path("loyalty/terminals/", terminals.terminal_list, name="terminals"),
    path("loyalty/terminals/new/", terminals.terminal_new, name="terminal-new"),
    path("loyalty/terminals/<str:code>/", terminals.terminal_edit, name="terminal-edit"),
]
