"""Every write of the till, by topic."""

from patron.business.tills.operations.selling import commit_sale
from patron.business.tills.operations.terminals import change_terminal, create_terminal
from patron.business.tills.operations.undoing import return_goods, void_sale

__all__ = ["change_terminal", "commit_sale", "create_terminal", "return_goods", "void_sale"]
