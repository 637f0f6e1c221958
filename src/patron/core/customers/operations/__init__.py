"""Every write to a customer's file, by topic."""

from patron.core.customers.operations.consenting import record_consent
from patron.core.customers.operations.contacting import (
    add_contact_point,
    add_external_id,
    remove_contact_point,
    set_address,
)
from patron.core.customers.operations.noting import archive_note, write_note
from patron.core.customers.operations.registering import (
    CustomerChanges,
    archive_customer,
    block_customer,
    register_customer,
    reopen_customer,
    update_customer,
)
from patron.core.customers.operations.relating import end_relation, relate_customers, set_photo
from patron.core.customers.operations.unmasking import Unmasked, unmask_contact

__all__ = [
    "CustomerChanges",
    "Unmasked",
    "add_contact_point",
    "add_external_id",
    "archive_customer",
    "archive_note",
    "block_customer",
    "end_relation",
    "record_consent",
    "register_customer",
    "relate_customers",
    "remove_contact_point",
    "reopen_customer",
    "set_address",
    "set_photo",
    "unmask_contact",
    "update_customer",
    "write_note",
]
