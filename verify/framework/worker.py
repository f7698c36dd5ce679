"""A worker process: it imports the claims once, then checks the ones that it is sent."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection

from verify.framework.runner import Options

__all__ = ["work"]


def work(connection: Connection, options: Options) -> None:
    """Receive claim identifiers and send back records, until None or the end of the pipe.

    Anything that a claim prints goes to stderr, so that stdout stays the report's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    os.dup2(2, 1)

    import jax

    jax.config.update("jax_enable_x64", True)

    from verify.framework.claim import discover
    from verify.framework.execute import execute

    claims = discover(options.directories)
    while True:
        try:
            identifier = connection.recv()
        except EOFError:
            return
        if identifier is None:
            return
        connection.send(execute(claims[identifier], options.context(identifier)))
