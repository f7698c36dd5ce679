"""No command writes its result over a file that it reads: said before anything is computed, whatever its options.

`check_writable` refuses the same from Python, where it is told the inputs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from nngp_dag.errors import InputError

__all__ = ["refuse_out_over_input"]


def refuse_out_over_input(arguments: Sequence[str]) -> None:
    """InputError where `--out` names a regular file that another argument names too, under whatever name."""
    pairs = list(_values(arguments))
    for out in (value for option, value in pairs if option == "--out" and os.path.isfile(value)):
        for option, value in pairs:
            if option != "--out" and value and os.path.isfile(value) and os.path.samefile(value, out):
                raise InputError(f"cannot write {out}: it is read as input ({option or 'an argument'})")


def _values(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each value with the option before it; a flag may pass for the option of the argument that follows it."""
    option = ""
    for argument in arguments:
        if argument.startswith("--"):
            option, separator, value = argument.partition("=")
            if separator:
                yield option, value
                option = ""
        else:
            yield option, argument
            option = ""
