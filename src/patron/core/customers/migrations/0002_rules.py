"""Rules that the database keeps whoever writes."""

from django.db import migrations

from patron.kernel.schema import append_only, track_changes, writes_parent


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0001_functions"),
        ("customers", "0001_initial"),
    ]

    operations = [
        track_changes("customers_customer"),
        append_only("customers_consent"),
        writes_parent("customers_address", parent="customers_customer", column="customer_id"),
    ]
