"""Addresses that belong to the frame itself, for the project's URLconf to include at its root."""

from django.urls import path
from django.views.i18n import set_language

from patron.kernel.ui import views
from patron.kernel.ui.pages import page

urlpatterns = [
    path("-/language/", page(public=True)(set_language), name="set_language"),
    path("-/theme/", views.choose_theme, name="choose-theme"),
    path("-/branch/", views.choose_branch, name="choose-branch"),
    path("-/ui/", views.style_guide, name="style-guide"),
]
