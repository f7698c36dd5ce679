"""Processes of a run: however a claim's process ends the others go on, and none is left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from verify_runs import claim_text, finished

from verify.framework.catalogue import catalogue
from verify.framework.options import Options
from verify.framework.process import Worker
from verify.framework.runner import run

FOLDER = Path(__file__).parent / "claims_that_misbehave"
DEADLY = '''
"""Claims that end their process."""

import os
import signal
import sys

from verify import claim

ENDS = {
    "ends-with-status-0": lambda: os._exit(0),
    "asks-to-exit": lambda: sys.exit(3),
    "segfaults": lambda: os.kill(os.getpid(), signal.SIGSEGV),
}


def register(name, end):
    @claim(name, title=name, source="a test", statement=f"{name}.", expected="holds", duration=20.0)
    def check(context):
        end()


for name, end in ENDS.items():
    register(name, end)
'''


@pytest.fixture
def options(tmp_path):
    """The claims of the folder beside this file, and deadly ones."""
    (tmp_path / "deadly.py").write_text(DEADLY)
    return Options((str(FOLDER), str(tmp_path)))


def test_however_a_process_ends_its_claim_alone_crashes_and_at_once(options):
    names = ["good", "ends-with-status-0", "asks-to-exit", "segfaults"]
    started = []
    claims = catalogue(options).select(",".join(names))
    records = run(claims, options, on_start=lambda claim: started.append(claim.id))
    reasons = {record["id"]: record["error"] and record["error"]["reason"] for record in records}
    assert reasons == {
        "good": None,
        "ends-with-status-0": "the process died (exit status 0)",
        "asks-to-exit": "SystemExit: 3",
        "segfaults": "the process died (exit status -11)",
    }
    assert started == [*names[1:], "good"]  # longest first
    assert max(record["seconds"] for record in records) < 100  # no time limit was waited for


def test_a_process_killed_before_it_reads_its_claim_takes_only_that_one(options):
    claims = catalogue(options).select("good,known-false")
    workers = [Worker.launch(options)]
    first = workers[0].process
    os.kill(first.pid, signal.SIGSTOP)  # so that it reads nothing
    try:

        def kill(claim):
            first.kill()

        records = run(claims, options, on_start=kill, workers=workers)
    finally:
        for worker in workers:
            worker.stop()
    assert sorted(record["verdict"] for record in records) == ["crashed", "refuted"]
    assert [r["error"]["reason"] for r in records if r["error"]] == ["the process died (exit status -9)"]


def _children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads the list of processes from /proc")
@pytest.mark.parametrize(
    "sent",
    # That a killed run takes its process with it is tested in every run where one is resumed (test_verify_run.py).
    [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.full)],
)
def test_a_run_that_is_killed_or_interrupted_leaves_no_process(tmp_path, sent):
    command = [sys.executable, "-m", "verify", "--claims-dir", str(FOLDER), "--claims", "good,slow", "--jobs", "2",
               "--out", str(tmp_path / "report")]  # fmt: skip
    environment = {**os.environ, "GATE": str(tmp_path / "never")}
    # Tests that run in the background ignore SIGINT, and what they start would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    deadline = time.monotonic() + 120
    while not finished(tmp_path / "report", "good") and time.monotonic() < deadline:
        time.sleep(0.05)
    children = _children(process.pid)
    assert len(children) >= 2
    process.send_signal(sent)
    _, errors = process.communicate(timeout=30)  # ends once no process holds the pipes; `slow` alone would take 60 s
    deadline = time.monotonic() + 10
    while any(map(_runs, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [child for child in children if _runs(child)]
    assert process.returncode == (130 if sent == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in errors
    # A record may be on the disk just before it is counted.
    told = re.search(r"interrupted: [01] of 2 claims are done; start again to resume$", errors, flags=re.M)
    assert (told is not None) == (sent == signal.SIGINT)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no groups of processes")
def test_what_a_claim_starts_ends_with_its_process(tmp_path):
    """A claim past its time that waits for a process of its own, which would wait for ten minutes."""
    started = tmp_path / "pid"
    check = f"""import subprocess
with subprocess.Popen(['sleep', '600']) as child:
    open({str(started)!r}, 'w').write(str(child.pid))
    child.wait()"""
    first = claim_text("first", duration=9.0)  # so that no time to start is added to that of the second
    (tmp_path / "starts.py").write_text(first + claim_text("starts", check=check, timeout=1.0))
    options = Options((str(tmp_path),))
    _, record = run(catalogue(options).select("first,starts"), options)
    assert record["error"]["reason"] == "no verdict after 1 s: stopped"
    assert not _runs(int(started.read_text()))
