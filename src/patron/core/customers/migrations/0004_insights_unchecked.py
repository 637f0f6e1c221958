"""Insights are published by the million: checking each row's references took a third of the time."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0003_numbers_and_lists"),
    ]

    operations = [
        migrations.AlterField(
            model_name="insight",
            name="customer",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="insights",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="insight",
            name="run",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="insights",
                to="customers.insightrun",
            ),
        ),
    ]
