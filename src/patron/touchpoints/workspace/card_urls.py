"""Addresses of card designs and of members' cards."""

from django.urls import URLPattern, path

from patron.touchpoints.workspace.views import cards, member_card

urlpatterns: list[URLPattern] = [
    path("loyalty/cards/", cards.card_designs, name="card-designs"),
    path("loyalty/cards/<int:design_id>/", cards.card_design, name="card-design"),
    path("loyalty/cards/<int:design_id>/preview/", cards.card_design_preview, name="card-design-preview"),
    path("loyalty/cards/<int:design_id>/picture/", cards.card_design_picture, name="card-design-picture"),
    path("loyalty/cards/<int:design_id>.png", cards.card_design_picture_file, name="card-design-png"),
    path("loyalty/cards/<int:design_id>/<slug:decision>/", cards.card_design_decide, name="card-design-decide"),
    path("customers/<str:number>/card.png", member_card.card_picture, name="member-card"),
    path("customers/<str:number>/card.pdf", member_card.card_print, name="member-card-print"),
    path("customers/<str:number>/card.escpos", member_card.card_receipt, name="member-card-receipt"),
    path("customers/<str:number>/card.pkpass", member_card.card_pass, name="member-card-pass"),
    path("customers/<str:number>/card/google/", member_card.card_google, name="member-card-google"),
    path("customers/<str:number>/card/replace/", member_card.card_replace, name="member-card-replace"),
]
