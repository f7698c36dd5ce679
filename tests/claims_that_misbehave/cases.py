"""Claims that hold, surprise, raise, die and hang: what the runner has to survive."""

import os
import time
from pathlib import Path

from verify import Evidence, Finding, KeyValue, Lines, Series, claim


def _evidence(holds, value=1.0, tolerance=1e-6):
    findings = [Finding(holds, cases=1, tolerance=0.0, label="one")]
    return Evidence(
        findings,
        summary="a summary",
        condition="never",
        counterexample={"margin": 1, "confirmed": "by hand"},
        key_values={"value": KeyValue(value, tolerance)},
    )


def _claim(name, expected="holds", **extra):
    return claim(name, title=name, source="a test", statement=f"{name}.", expected=expected, **extra)


@_claim("good")
def good(context):
    print("a claim may print")
    return _evidence(True, float(os.environ.get("VALUE", "1.0")))


@_claim("known-false", expected="refuted")
def known_false(context):
    return _evidence(False)


@_claim("surprising")
def surprising(context):
    return _evidence(False)


@_claim("raises")
def raises(context):
    raise ZeroDivisionError("of course <&> \x00")


@_claim("without-evidence")
def without_evidence(context):
    return Evidence([Finding(True, label="nothing compared")], summary="nothing")


@_claim("misdrawn")
def misdrawn(context):
    return Evidence([], summary="s", plots=[Lines("a plot", [Series("a", x=[1, 2], y=[1])])])


@_claim("dies", duration=0.01)
def dies(context):
    os._exit(7)


@_claim("hangs", timeout=1.0, duration=0.02)  # after others: a process is given time to start
def hangs(context):
    time.sleep(600)


@_claim("slow", duration=0.1)
def slow(context):
    """Finishes once the file named in the environment exists."""
    gate = Path(os.environ["GATE"])
    deadline = time.monotonic() + 60
    while not gate.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return _evidence(gate.exists())
