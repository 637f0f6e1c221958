"""Prices of branches tell the warehouse when they change."""

from django.db import migrations, models

from patron.kernel.fields import CurrentXid, Xid8Field
from patron.kernel.schema import track_changes


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_rules"),
        ("catalog", "0002_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="branchprice",
            name="changed_xid",
            field=Xid8Field(db_default=CurrentXid(), editable=False),
        ),
        migrations.AddIndex(
            model_name="branchprice",
            index=models.Index(fields=["changed_xid"], name="branch_price_changed"),
        ),
        track_changes("catalog_branchprice"),
    ]
