"""Who looks for accounts that changed looks for what members have: the other sides are updated in place, unstamped."""

from django.db import migrations

STAMP_HELD = """
DROP TRIGGER loyalty_account_changed ON loyalty_account;
CREATE TRIGGER loyalty_account_changed BEFORE UPDATE ON loyalty_account
    FOR EACH ROW WHEN (NEW.bucket IN ('available', 'pending', 'reserved')) EXECUTE FUNCTION patron_stamp_changed();
ALTER TABLE loyalty_account ENABLE ALWAYS TRIGGER loyalty_account_changed;
ALTER TABLE loyalty_account SET (fillfactor = 80);
"""

STAMP_ALL = """
DROP TRIGGER loyalty_account_changed ON loyalty_account;
CREATE TRIGGER loyalty_account_changed BEFORE UPDATE ON loyalty_account
    FOR EACH ROW EXECUTE FUNCTION patron_stamp_changed();
ALTER TABLE loyalty_account ENABLE ALWAYS TRIGGER loyalty_account_changed;
ALTER TABLE loyalty_account RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0006_reading_by_period")]

    operations = [migrations.RunSQL(STAMP_HELD, STAMP_ALL)]
