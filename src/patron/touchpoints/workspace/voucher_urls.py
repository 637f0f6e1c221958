"""Addresses of vouchers."""

from django.urls import URLPattern, path

from patron.touchpoints.workspace.views import voucher_changes, vouchers

urlpatterns: list[URLPattern] = [
    path("loyalty/vouchers/", vouchers.voucher_list, name="vouchers"),
    path("loyalty/vouchers/new/", voucher_changes.voucher_new, name="voucher-new"),
    path("loyalty/vouchers/preview/", voucher_changes.voucher_preview, name="voucher-preview"),
    path("loyalty/vouchers/one/<int:voucher_id>/", voucher_changes.voucher, name="voucher"),
    path("loyalty/vouchers/one/<int:voucher_id>/transfer/", voucher_changes.voucher_transfer, name="voucher-transfer"),
    path("loyalty/vouchers/one/<int:voucher_id>/cancel/", voucher_changes.voucher_cancel, name="voucher-cancel"),
    path("loyalty/vouchers/of/<str:code>/", vouchers.voucher_definition, name="voucher-definition"),
    path("loyalty/vouchers/of/<str:code>/edit/", voucher_changes.voucher_edit, name="voucher-edit"),
    path("loyalty/vouchers/of/<str:code>/give/", voucher_changes.voucher_give, name="voucher-give"),
    path("loyalty/vouchers/of/<str:code>/sell/", voucher_changes.voucher_sell, name="voucher-sell"),
    path("loyalty/vouchers/of/<str:code>/issuing/", voucher_changes.voucher_issuing, name="voucher-issuing"),
    path("loyalty/vouchers/of/<str:code>/cancel/", voucher_changes.voucher_cancel_all, name="voucher-cancel-all"),
    path("loyalty/vouchers/of/<str:code>/codes/", voucher_changes.voucher_make_codes, name="voucher-make-codes"),
    path("loyalty/vouchers/of/<str:code>/codes.<slug:file_format>", vouchers.voucher_codes, name="voucher-codes"),
]
