"""Drawing cards: codes, faces, strips of paper, and the pictures kept of them."""
