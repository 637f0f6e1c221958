"""The order in which VIPs are listed."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_insights_unchecked")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX insight_vip ON customers_insight (rank) WHERE model = 'value' AND (facts ->> 'vip') = 'true';",
            "DROP INDEX insight_vip;",
        ),
    ]
