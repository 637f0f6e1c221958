"""What terminals told is never changed."""

from django.db import migrations

from patron.kernel.schema import append_only


class Migration(migrations.Migration):
    dependencies = [("tills", "0001_initial")]

    operations = [append_only("tills_tillentry")]
