"""Errors that speak to people: one line that says what was wrong and what is accepted."""

__all__ = ["InputError"]


class InputError(ValueError):
    """Input that cannot be used. Its message is one line; the command line prints it and exits with 2."""
