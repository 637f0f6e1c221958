"""Cards in the wallets of phones tell the warehouse when they change."""

from django.db import migrations

from patron.kernel.fields import CurrentXid, Xid8Field
from patron.kernel.schema import track_changes


class Migration(migrations.Migration):
    dependencies = [
        ("cards", "0002_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="passregistration",
            name="changed_xid",
            field=Xid8Field(db_default=CurrentXid(), editable=False),
        ),
        track_changes("cards_passregistration"),
    ]
