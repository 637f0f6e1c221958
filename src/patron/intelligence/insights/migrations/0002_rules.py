"""Rules that the database keeps whoever writes."""

from django.db import migrations

from patron.kernel.schema import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0001_functions"),
        ("insights", "0001_initial"),
    ]

    operations = [
        append_only("insights_modelparameters"),
    ]
