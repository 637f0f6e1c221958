"""Rules that the database keeps whoever writes."""

from django.db import migrations

from patron.kernel.schema import track_changes


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0001_functions"),
        ("catalog", "0001_initial"),
    ]

    operations = [
        track_changes("catalog_category"),
        track_changes("catalog_product"),
    ]
