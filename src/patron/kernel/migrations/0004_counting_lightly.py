"""Requests are counted in a table that a crash may empty: counting must not wait for the disk."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("kernel", "0003_rules")]

    operations = [
        migrations.RunSQL("ALTER TABLE kernel_ratewindow SET UNLOGGED;", "ALTER TABLE kernel_ratewindow SET LOGGED;"),
    ]
