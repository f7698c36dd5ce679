"""A worker process: it imports the claims that it is sent and checks them, or tells which claims a file holds."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
import traceback
import warnings
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, TypedDict

from verify.framework.claim import Claim, discover, import_claims, registry
from verify.framework.errors import reason_of
from verify.framework.options import Options
from verify.framework.paper import Paper
from verify.framework.record import ClaimRecord

__all__ = ["ImportReport", "configure_jax", "report_imports", "work"]


_NOT_TOLD = {"check", "needs", "module"}  # functions of another process, and where it is


class ImportReport(TypedDict):
    """The outcome of importing a claims file: the fields of its claims (of `Claim`), or why it broke off."""

    claims: list[dict[str, Any]]
    reason: str
    traceback: str


def work(connection: Connection, options: Options) -> None:
    """Receive claims and send back their records, until the end of the pipe."""
    _settle()
    configure_jax(options)
    while (claim := _received(connection)) is not None:
        connection.send(_record(claim, options))


def report_imports(connection: Connection, options: Options) -> None:
    """Say that it is ready, receive the path of a claims file, import it and send back a report, and so on.

    Reports are JSON, since what else could stand in a claim may have no meaning in another process.
    """
    _settle()
    os.environ["JAX_ENABLE_X64"] = "1"  # for a file that imports JAX: others need not wait for it
    connection.send_bytes(b"ready")
    while (file := _received(connection)) is not None:
        connection.send_bytes(_import_report(file).encode())
        connection.send_bytes(b"ready")


def _settle() -> None:
    """Output of a claim goes to stderr, so that stdout stays the report's; the parent decides when to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a group of its own, which ends with it: what a claim starts does not outlive the run
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(2, 1)


def _received(connection: Connection) -> Any:
    try:
        return connection.recv()
    except (EOFError, ConnectionError):  # the latter where the parent left something unread behind
        return None


def _record(claim: Claim, options: Options) -> ClaimRecord:
    """The record of a claim; an exit or an interrupt that it asks for is a crash like any other."""
    from verify.framework.execute import crash_record, execute

    context, start = options.context(claim.id), time.perf_counter()
    try:
        if claim.module:
            import_claims(claim.module)
        else:  # imported by other means than `import_claims`: one of this package
            discover()
        return execute(registry[claim.id], context)
    except BaseException as error:
        reason = reason_of(error)
        return crash_record(claim, context, reason, time.perf_counter() - start, traceback.format_exc())


def _import_report(file: str) -> str:
    try:
        claims = [
            {name: _told(value) for name, value in vars(claim).items() if name not in _NOT_TOLD}
            for claim in import_claims(file)
        ]
        return json.dumps(ImportReport(claims=claims, reason="", traceback=""))
    except BaseException as error:
        reason = reason_of(error)
        return json.dumps(ImportReport(claims=[], reason=reason, traceback=traceback.format_exc()))


def _told(value: object) -> object:
    """A field of a claim as JSON has it."""
    return vars(value) if isinstance(value, Paper) else value


def _end_with_parent() -> None:
    """Where the parent was killed, leave the claim under way: nobody waits for it."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(os.getpid(), signal.SIGKILL)
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
        warnings.filterwarnings("ignore", message="Error .* persistent compilation cache")  # no claim depends on it
        jax.config.update("jax_compilation_cache_dir", options.compiled)
        jax.config.update("jax_persistent_cache_enable_xla_caches", "none")  # XLA's own folders would stay
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
