"""Addresses of customers: the list, the search, one customer and what is sent in from their page."""

from django.urls import URLPattern, path

from patron.touchpoints.workspace.views import customer, customer_forms, customers, finding, savedviews

urlpatterns: list[URLPattern] = [
    path("search/", finding.search, name="search"),
    path("search/suggest/", finding.suggest, name="search-suggest"),
    path("customers/", customers.customer_list, name="customer-list"),
    path("customers.<slug:file_format>", customers.customer_export, name="customer-export"),
    path("views/save/", savedviews.save, name="view-save"),
    path("views/<int:view_id>/delete/", savedviews.delete, name="view-delete"),
    path("customers/new/", finding.register, name="customer-register"),
    path("customers/<str:number>/", customer.customer, name="customer"),
    path("customers/<str:number>/photo/", customer_forms.photo, name="customer-photo"),
    path("customers/<str:number>/notes/", customer_forms.add_note, name="customer-note"),
    path(
        "customers/<str:number>/notes/<int:note_id>/archive/", customer_forms.archive_note, name="customer-note-archive"
    ),
    path("customers/<str:number>/calls/", customer_forms.log_call, name="customer-call"),
    path("customers/<str:number>/unmask/", customer_forms.unmask, name="customer-unmask"),
    path("customers/<str:number>/contacts/", customer_forms.add_contact, name="customer-contact"),
    path(
        "customers/<str:number>/contacts/<int:contact_id>/remove/",
        customer_forms.remove_contact,
        name="customer-contact-remove",
    ),
    path("customers/<str:number>/consents/", customer_forms.record_consent, name="customer-consent"),
    path("customers/<str:number>/details/", customer_forms.edit_details, name="customer-details"),
    path("customers/<str:number>/addresses/", customer_forms.add_address, name="customer-address"),
    path("customers/<str:number>/relations/", customer_forms.add_relation, name="customer-relation"),
    path(
        "customers/<str:number>/relations/<int:relation_id>/end/",
        customer_forms.end_relation,
        name="customer-relation-end",
    ),
]
