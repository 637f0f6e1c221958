"""What can be wrong with the input of a model; every message says what to do."""


class MiningError(ValueError):
    """The input or a parameter cannot be used; the message tells the user how to put it right."""


class ParameterError(MiningError):
    """A parameter is out of its bounds, or asks for data that is not there."""


class InputError(MiningError):
    """A table or a file lacks a column, or a column cannot be read."""
