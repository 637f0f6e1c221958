"""Customer numbers, and the orders in which lists are read."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_rules")]

    operations = [
        migrations.AlterField(
            model_name="customersearch",
            name="customer",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=models.deletion.CASCADE,
                primary_key=True,
                related_name="search",
                serialize=False,
                to="customers.customer",
            ),
        ),
        migrations.RemoveIndex(model_name="customersearch", name="customer_search_terms"),
        migrations.AddIndex(
            model_name="customersearch",
            index=GinIndex(fields=["terms"], name="customer_search_terms", fastupdate=False),
        ),
        migrations.AlterField(model_name="customer", name="number", field=models.CharField(max_length=20)),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(fields=("number",), name="customer_number_once"),
        ),
        migrations.AlterField(
            model_name="contactpoint",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.PROTECT,
                related_name="contact_points",
                to="customers.customer",
            ),
        ),
        migrations.RemoveConstraint(model_name="externalid", name="external_id_once"),
        migrations.AddConstraint(
            model_name="externalid",
            constraint=models.UniqueConstraint(fields=("value", "source"), name="external_id_value"),
        ),
        migrations.RemoveIndex(model_name="contactpoint", name="contact_point_value"),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(
                fields=["kind", "value"],
                name="contact_point_found",
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops"],
            ),
        ),
        migrations.RunSQL(
            """
            CREATE SEQUENCE customers_number_seq;

            CREATE FUNCTION patron_next_customer_number() RETURNS text LANGUAGE sql VOLATILE AS $$
                SELECT 'C' || lpad(n::text, greatest(7, length(n::text)), '0')
                FROM nextval('customers_number_seq') AS n
            $$;
            """,
            """
            DROP FUNCTION patron_next_customer_number();
            DROP SEQUENCE customers_number_seq;
            """,
        ),
        migrations.RunSQL(
            """
            CREATE INDEX customer_name ON customers_customer (name, id);
            CREATE INDEX customer_kind ON customers_customer (kind, id) WHERE kind <> 'individual';
            CREATE INDEX customer_status ON customers_customer (status, id) WHERE status <> 'active';
            CREATE INDEX insight_last_on ON customers_insight ((facts ->> 'last_on'), customer_id)
                WHERE model = 'lifecycle';
            -- So that the planner knows how many VIPs there are, and the count of a list says about the right number.
            CREATE STATISTICS insight_facts (mcv)
                ON model, label, (facts ->> 'vip'), (facts ->> 'at_risk') FROM customers_insight;
            CREATE INDEX insight_at_risk ON customers_insight (customer_id)
                WHERE model = 'lifecycle' AND (facts ->> 'at_risk') = 'true';
            """,
            """
            DROP INDEX customer_name;
            DROP INDEX customer_kind;
            DROP INDEX customer_status;
            DROP INDEX insight_last_on;
            DROP STATISTICS insight_facts;
            DROP INDEX insight_at_risk;
            """,
        ),
    ]
