"""Programmes, cards and adjustments that wait tell the warehouse when they change."""

from django.db import migrations, models

from patron.kernel.fields import CurrentXid, Xid8Field
from patron.kernel.schema import track_changes


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0007_light_counterparts"),
    ]

    operations = [
        migrations.AddField(
            model_name="approval",
            name="changed_xid",
            field=Xid8Field(db_default=CurrentXid(), editable=False),
        ),
        migrations.AddField(
            model_name="card",
            name="changed_xid",
            field=Xid8Field(db_default=CurrentXid(), editable=False),
        ),
        migrations.AddField(
            model_name="programme",
            name="changed_xid",
            field=Xid8Field(db_default=CurrentXid(), editable=False),
        ),
        migrations.AddField(
            model_name="programmeversion",
            name="changed_xid",
            field=Xid8Field(db_default=CurrentXid(), editable=False),
        ),
        migrations.AddIndex(
            model_name="card",
            index=models.Index(fields=["changed_xid"], name="card_changed"),
        ),
        track_changes("loyalty_programme"),
        track_changes("loyalty_card"),
        track_changes("loyalty_approval"),
    ]
