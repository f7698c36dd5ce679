"""A worker process: it imports the claims once, then checks the ones that it is sent."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

from verify.framework.options import Options

__all__ = ["configure_jax", "work"]


def work(connection: Connection, options: Options) -> None:
    """Receive claim identifiers and send back records, until None or the end of the pipe.

    Anything that a claim prints goes to stderr, so that stdout stays the report's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(2, 1)

    configure_jax(options)

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


def _end_with_parent() -> None:
    """Where the parent was killed, leave the claim under way: nobody waits for it."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def configure_jax(options: Options) -> None:
    """Float64; and, since a quick run spends most of its time on compiling, few passes and each program only once.

    Without the compiler's optimisations programs differ by rounding alone; a full run, which computes more than it
    compiles, has them.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    if options.profile == "quick":
        jax.config.update("jax_disable_most_optimizations", True)
    if options.compiled is not None:
        jax.config.update("jax_compilation_cache_dir", options.compiled)
        jax.config.update("jax_persistent_cache_enable_xla_caches", "none")  # XLA's own folders would stay
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
