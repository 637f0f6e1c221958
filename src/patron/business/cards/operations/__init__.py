"""Every write of the card room, by topic."""

from patron.business.cards.operations.designs import (
    activate_design,
    change_design,
    create_design,
    discard_design,
    retire_design,
    set_design_picture,
)
from patron.business.cards.operations.faces import (
    hand_out_card,
    mark_swept,
    refresh_face,
    refresh_faces,
    replace_member_card,
)
from patron.business.cards.operations.passes import register_device, unregister_device

__all__ = [
    "activate_design",
    "change_design",
    "create_design",
    "discard_design",
    "hand_out_card",
    "mark_swept",
    "refresh_face",
    "refresh_faces",
    "register_device",
    "replace_member_card",
    "retire_design",
    "set_design_picture",
    "unregister_device",
]
