"""Versions of the whole programme take the place of versions of the base rule."""

from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models

TERMS = """
ALTER TABLE loyalty_programmeversion DISABLE TRIGGER USER;
UPDATE loyalty_programmeversion SET terms = jsonb_build_object(
    'base', jsonb_build_object(
        'points', trim_scale(points_per_unit)::text, 'per_amount', trim_scale(unit_amount)::text),
    'expiry', CASE WHEN expiry_months IS NULL THEN '{"kind": "never"}'::jsonb
        ELSE jsonb_build_object('kind', 'month_end', 'n', expiry_months) END);
ALTER TABLE loyalty_programmeversion ENABLE TRIGGER USER;
"""

TRANSACTIONS = """
CREATE OR REPLACE FUNCTION patron_ledger_transactions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written w
            LEFT JOIN loyalty_posting p ON p.transaction_id = w.id AND p.line_no = 1
        WHERE p.transaction_id IS NULL AND w.amount <> 0
    ) THEN
        RAISE EXCEPTION 'a ledger transaction is written in one statement with its postings'
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT rule_id FROM written) w
            LEFT JOIN {table} r ON r.id = w.rule_id
        WHERE w.rule_id IS NOT NULL AND r.id IS NULL
    ) THEN
        RAISE EXCEPTION 'a ledger transaction names a rule that does not exist' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0002_rules")]

    operations = [
        migrations.RemoveConstraint(model_name="earningrule", name="earning_rule_version_once"),
        migrations.RemoveConstraint(model_name="earningrule", name="earning_rule_sane"),
        migrations.RenameModel("EarningRule", "ProgrammeVersion"),
        migrations.RunSQL(
            TRANSACTIONS.replace("{table}", "loyalty_programmeversion"),
            TRANSACTIONS.replace("{table}", "loyalty_earningrule"),
        ),
        migrations.AlterField(
            model_name="programmeversion",
            name="programme",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="loyalty.programme"
            ),
        ),
        migrations.AddConstraint(
            model_name="programmeversion",
            constraint=models.UniqueConstraint(fields=("programme", "version"), name="programme_version_once"),
        ),
        migrations.AddField(
            model_name="programmeversion", name="terms", field=models.JSONField(default=dict), preserve_default=True
        ),
        migrations.AddField(
            model_name="programmeversion",
            name="note",
            field=models.CharField(blank=True, max_length=200, default=""),
            preserve_default=False,
        ),
        migrations.RunSQL(TERMS, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="programmeversion", name="points_per_unit"),
        migrations.RemoveField(model_name="programmeversion", name="unit_amount"),
        migrations.RemoveField(model_name="programmeversion", name="expiry_months"),
        migrations.AddField(
            model_name="programme",
            name="debt",
            field=models.CharField(
                choices=[
                    ("offset", "The next points repay it"),
                    ("block", "Nothing more can be redeemed until it is repaid"),
                    ("forgive", "It is let go"),
                ],
                default="offset",
                max_length=8,
            ),
        ),
        migrations.RunSQL("UPDATE loyalty_programme SET debt = 'forgive' WHERE NOT allow_debt", migrations.RunSQL.noop),
        migrations.RemoveField(model_name="programme", name="allow_debt"),
        migrations.AddField(
            model_name="programme",
            name="point_value",
            field=models.DecimalField(decimal_places=6, default=Decimal("0.01"), max_digits=12),
        ),
    ]
