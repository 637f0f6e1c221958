"""Terminals tell the warehouse when they change."""

from django.db import migrations

from patron.kernel.fields import CurrentXid, Xid8Field
from patron.kernel.schema import track_changes


class Migration(migrations.Migration):
    dependencies = [
        ("tills", "0002_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="terminal",
            name="changed_xid",
            field=Xid8Field(db_default=CurrentXid(), editable=False),
        ),
        track_changes("tills_terminal"),
    ]
