"""Addresses of the pages that read the programme."""

from django.urls import URLPattern, path

from patron.touchpoints.workspace.views import (
    loyalty_approvals,
    loyalty_expiring,
    loyalty_journal,
    loyalty_liability,
    loyalty_redeeming,
    loyalty_watch,
    points_statement,
)

urlpatterns: list[URLPattern] = [
    path("customers/<str:number>/points/", points_statement.points_statement, name="points-statement"),
    path(
        "customers/<str:number>/points.<slug:file_format>",
        points_statement.points_statement_export,
        name="points-statement-export",
    ),
    path("customers/<str:number>/points/adjust/", points_statement.points_adjust, name="points-adjust"),
    path("loyalty/expiring/", loyalty_expiring.points_expiring, name="points-expiring"),
    path("loyalty/expiring.<slug:file_format>", loyalty_expiring.points_expiring_export, name="points-expiring-export"),
    path("loyalty/redemptions/", loyalty_redeeming.redemptions, name="redemptions"),
    path("loyalty/liability/", loyalty_liability.points_liability, name="points-liability"),
    path(
        "loyalty/liability/<slug:table>.<slug:file_format>",
        loyalty_liability.points_liability_export,
        name="points-liability-export",
    ),
    path("loyalty/journal/", loyalty_journal.loyalty_journal, name="loyalty-journal"),
    path("loyalty/journal.<slug:file_format>", loyalty_journal.loyalty_journal_export, name="loyalty-journal-export"),
    path("loyalty/watch/", loyalty_watch.loyalty_watch, name="loyalty-watch"),
    path("loyalty/approvals/", loyalty_approvals.approvals, name="approvals"),
    path("loyalty/approvals/<int:approval_id>/", loyalty_approvals.approval_decide, name="approval-decide"),
]
