"""Consents, relations and ways to be reached tell the warehouse when they change."""

from django.db import migrations, models

from patron.kernel.fields import CurrentXid, Xid8Field
from patron.kernel.schema import track_changes, writes_parent


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0005_list_of_vips"),
    ]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="changed_xid",
            field=Xid8Field(db_default=CurrentXid(), editable=False),
        ),
        migrations.AddField(
            model_name="relation",
            name="changed_xid",
            field=Xid8Field(db_default=CurrentXid(), editable=False),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["changed_xid"], name="consent_changed"),
        ),
        migrations.AddIndex(
            model_name="relation",
            index=models.Index(fields=["changed_xid"], name="relation_changed"),
        ),
        track_changes("customers_relation"),
        writes_parent("customers_contactpoint", parent="customers_customer", column="customer_id"),
    ]
