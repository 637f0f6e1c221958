"""Addresses of sign-in and of the settings of staff, teams, branches and keys."""

from django.urls import URLPattern, URLResolver, include, path

from patron.core.accounts.views import audit, branches, signing, staff

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", signing.sign_in, name="sign-in"),
    path("sign-out/", signing.sign_out, name="sign-out"),
    path("account/", staff.own_account, name="own-account"),
    path("settings/staff/", staff.staff_list, name="staff-list"),
    path("settings/staff/new/", staff.staff_new, name="staff-new"),
    path("settings/staff/<int:staff_id>/", staff.staff, name="staff"),
    path("settings/staff/<int:staff_id>/password/", staff.staff_password, name="staff-password"),
    path("settings/staff/<int:staff_id>/activity/", staff.staff_activity, name="staff-activity"),
    path("settings/teams/", staff.team_list, name="team-list"),
    path("settings/teams/<int:team_id>/", staff.team, name="team"),
    path("settings/branches/", branches.branch_list, name="branch-list"),
    path("settings/branches/new/", branches.branch_new, name="branch-new"),
    path("settings/branches/<str:code>/", branches.branch, name="branch"),
    path("settings/audit/", audit.audit, name="audit-trail"),
    path("settings/keys/", include("patron.core.accounts.key_urls")),
]
