"""Addresses of stored value: the daily statement and its terms, and a member's wallet."""

from django.urls import URLPattern, path

from patron.touchpoints.workspace.views import storedvalue, wallet

urlpatterns: list[URLPattern] = [
    path("loyalty/stored-value/", storedvalue.stored_value, name="stored-value"),
    path("loyalty/stored-value.<slug:file_format>", storedvalue.stored_value_export, name="stored-value-export"),
    path("loyalty/stored-value/terms/", storedvalue.stored_value_terms, name="stored-value-terms"),
    path("customers/<str:number>/wallet/", wallet.wallet, name="wallet"),
    path("customers/<str:number>/wallet/deposit/", wallet.take_deposit, name="wallet-deposit"),
    path("customers/<str:number>/wallet/withdraw/", wallet.pay_out, name="wallet-withdraw"),
    path("customers/<str:number>/wallet/freeze/", wallet.freeze_wallet, name="wallet-freeze"),
    path("customers/<str:number>/wallet/unfreeze/", wallet.unfreeze_wallet, name="wallet-unfreeze"),
    path("customers/<str:number>/wallet/pin/", wallet.change_pin, name="wallet-pin"),
    path("customers/<str:number>/wallet/code/", wallet.one_time_code, name="wallet-code"),
]
