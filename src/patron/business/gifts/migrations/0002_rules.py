"""Rules that the database keeps whoever writes."""

from django.db import migrations

from patron.kernel.schema import append_only, track_changes

SHELVES = """
CREATE FUNCTION patron_gift_movements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written w
            JOIN gifts_giftorder o ON o.id = w.order_id
            JOIN gifts_giftstock s ON s.id = w.stock_id
        WHERE (o.gift_id, o.branch_id) <> (s.gift_id, s.branch_id) OR o.quantity <> w.quantity
    ) THEN
        RAISE EXCEPTION 'a movement for an order is of its gift, its branch and its quantity'
            USING ERRCODE = 'check_violation';
    END IF;
    UPDATE gifts_giftstock s SET on_hand = s.on_hand + m.on_hand, reserved = s.reserved + m.reserved
    FROM (
        SELECT stock_id,
            sum(CASE kind WHEN 'handed_out' THEN -quantity WHEN 'reserved' THEN 0 WHEN 'released' THEN 0
                ELSE quantity END) AS on_hand,
            sum(CASE kind WHEN 'reserved' THEN quantity WHEN 'released' THEN -quantity WHEN 'handed_out' THEN -quantity
                ELSE 0 END) AS reserved
        FROM written GROUP BY stock_id
    ) m
    WHERE s.id = m.stock_id;
    RETURN NULL;
END $$;
CREATE TRIGGER gifts_stockmovement_counts AFTER INSERT ON gifts_stockmovement
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION patron_gift_movements();
ALTER TABLE gifts_stockmovement ENABLE ALWAYS TRIGGER gifts_stockmovement_counts;
ALTER TABLE gifts_stockmovement ENABLE ALWAYS TRIGGER gifts_stockmovement_append_only;

CREATE FUNCTION patron_gift_shelf_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a shelf is kept by its movements: % by hand refused', TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Write a movement.';
END $$;
-- Depth 0: a statement that somebody wrote, not the trigger of the movements.
CREATE TRIGGER gifts_giftstock_by_hand BEFORE UPDATE OR DELETE ON gifts_giftstock
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION patron_gift_shelf_by_hand();
CREATE TRIGGER gifts_giftstock_born_empty BEFORE INSERT ON gifts_giftstock
    FOR EACH ROW WHEN (NEW.on_hand <> 0 OR NEW.reserved <> 0) EXECUTE FUNCTION patron_gift_shelf_by_hand();
ALTER TABLE gifts_giftstock ENABLE ALWAYS TRIGGER gifts_giftstock_by_hand;
ALTER TABLE gifts_giftstock ENABLE ALWAYS TRIGGER gifts_giftstock_born_empty;
ALTER TABLE gifts_giftstock ENABLE ALWAYS TRIGGER gifts_giftstock_changed;
"""

SHELVES_BACK = """
DROP TRIGGER gifts_giftstock_born_empty ON gifts_giftstock;
DROP TRIGGER gifts_giftstock_by_hand ON gifts_giftstock;
DROP FUNCTION patron_gift_shelf_by_hand();
DROP TRIGGER gifts_stockmovement_counts ON gifts_stockmovement;
DROP FUNCTION patron_gift_movements();
"""

ORDERS = """
CREATE FUNCTION patron_gift_order_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'reserved' THEN
            RAISE EXCEPTION 'an order begins reserved, not %', NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.membership_id, NEW.gift_id, NEW.branch_id, NEW.quantity, NEW.points, NEW.money, NEW.currency, NEW.way,
        NEW.request_key, NEW.ordered_at, NEW.pickup_code, NEW.spend_id) IS DISTINCT FROM
       (OLD.membership_id, OLD.gift_id, OLD.branch_id, OLD.quantity, OLD.points, OLD.money, OLD.currency, OLD.way,
        OLD.request_key, OLD.ordered_at, OLD.pickup_code, OLD.spend_id) THEN
        RAISE EXCEPTION 'what was ordered never changes: cancel order % and make another', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('reserved', 'ready'), ('reserved', 'handed_over'), ('reserved', 'shipped'), ('reserved', 'cancelled'),
        ('ready', 'handed_over'), ('ready', 'shipped'), ('ready', 'cancelled'),
        ('shipped', 'delivered'), ('shipped', 'cancelled'), ('handed_over', 'cancelled'), ('delivered', 'cancelled')
    ) THEN
        RAISE EXCEPTION 'an order cannot become % from %', NEW.state, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER gifts_giftorder_moves BEFORE INSERT OR UPDATE ON gifts_giftorder
    FOR EACH ROW EXECUTE FUNCTION patron_gift_order_moves();
CREATE TRIGGER gifts_giftorder_stays BEFORE DELETE OR TRUNCATE ON gifts_giftorder
    FOR EACH STATEMENT EXECUTE FUNCTION patron_refuse_change();
ALTER TABLE gifts_giftorder ENABLE ALWAYS TRIGGER gifts_giftorder_moves;
ALTER TABLE gifts_giftorder ENABLE ALWAYS TRIGGER gifts_giftorder_stays;

-- Looked at when the transaction ends: every move of an order has its event, and has moved the shelf.
CREATE FUNCTION patron_gift_order_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM gifts_giftorderevent e WHERE e.order_id = NEW.id AND e.to_state = NEW.state) THEN
        RAISE EXCEPTION 'order % became % without an event', NEW.id, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (
        SELECT FROM gifts_stockmovement m WHERE m.order_id = NEW.id AND m.kind = 'reserved'
    ) OR (NEW.state NOT IN ('reserved', 'ready') AND NOT EXISTS (
        SELECT FROM gifts_stockmovement m WHERE m.order_id = NEW.id AND m.kind IN ('released', 'handed_out')
    )) THEN
        RAISE EXCEPTION 'order % became % without moving the shelf', NEW.id, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER gifts_giftorder_told AFTER INSERT OR UPDATE OF state ON gifts_giftorder
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION patron_gift_order_told();
ALTER TABLE gifts_giftorder ENABLE ALWAYS TRIGGER gifts_giftorder_told;
ALTER TABLE gifts_giftorderevent ENABLE ALWAYS TRIGGER gifts_giftorderevent_append_only;
"""

ORDERS_BACK = """
DROP TRIGGER gifts_giftorder_told ON gifts_giftorder;
DROP FUNCTION patron_gift_order_told();
DROP TRIGGER gifts_giftorder_stays ON gifts_giftorder;
DROP TRIGGER gifts_giftorder_moves ON gifts_giftorder;
DROP FUNCTION patron_gift_order_moves();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0001_functions"),
        ("gifts", "0001_initial"),
    ]

    operations = [
        track_changes("gifts_gift"),
        track_changes("gifts_giftstock"),
        track_changes("gifts_giftorder"),
        append_only("gifts_giftorderevent"),
        append_only("gifts_stockmovement"),
        migrations.RunSQL(SHELVES, SHELVES_BACK),
        migrations.RunSQL(ORDERS, ORDERS_BACK),
    ]
