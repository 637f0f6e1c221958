"""Addresses of the workspace."""

from django.urls import URLPattern, path

from patron.touchpoints.workspace import (
    card_urls,
    customer_urls,
    gift_urls,
    loyalty_report_urls,
    programme_urls,
    stored_value_urls,
    till_urls,
    voucher_urls,
)
from patron.touchpoints.workspace.views import analyses, home, imports, inventory, models, vips

urlpatterns: list[URLPattern] = [
    *customer_urls.urlpatterns,
    *gift_urls.urlpatterns,
    *programme_urls.urlpatterns,
    *card_urls.urlpatterns,
    *stored_value_urls.urlpatterns,
    *till_urls.urlpatterns,
    *loyalty_report_urls.urlpatterns,
    *voucher_urls.urlpatterns,
    path("", home.home, name="home"),
    path("insight/vips/", vips.vips, name="vips"),
    path("insight/vips.<slug:file_format>", vips.vips_export, name="vips-export"),
    path("insight/inventory/", inventory.customer_inventory, name="inventory"),
    path("insight/questions/", analyses.questions, name="analyses"),
    path("insight/analyses/<slug:name>/", analyses.analysis, name="analysis"),
    path(
        "insight/analyses/<slug:name>/<slug:table>.<slug:file_format>", analyses.analysis_export, name="analysis-export"
    ),
    path("settings/analyses/", analyses.analysis_runs, name="analysis-runs"),
    path("settings/analyses/<slug:name>/", analyses.analysis_history, name="analysis-history"),
    path("settings/models/", models.model_settings, name="model-settings"),
    path("settings/imports/", imports.import_list, name="imports"),
    path("settings/imports/<int:run_id>/", imports.import_run, name="import"),
    path("settings/imports/<int:run_id>/configure/", imports.import_configure, name="import-configure"),
    path("settings/imports/<int:run_id>/start/", imports.import_start, name="import-start"),
    path("settings/imports/<int:run_id>/cancel/", imports.import_cancel, name="import-cancel"),
    path("settings/imports/<int:run_id>/errors/", imports.import_errors, name="import-errors"),
]
