"""Standard streams that are full, closed, or left by their reader: no traceback, and nothing lost in silence."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

ARCHITECTURE = b"|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|\n"
COMMANDS = [["--version"], ["paths", "2_02", "--json"], ["paths", "2_02"], ["filter", "nasbench201"]]


def run(arguments, stdout, *, close=None, environment=None, stdin=ARCHITECTURE):
    """The finished process (stderr read), with a descriptor closed from the start where one is given."""
    return subprocess.run(
        [sys.executable, "-m", "nngp_dag", *arguments],
        input=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        preexec_fn=None if close is None else lambda: os.close(close),
        env={**os.environ, **(environment or {})},
        timeout=120,
        check=False,
    )


@pytest.fixture
def left_pipe():
    """The writing end of a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_full_disk_is_one_line_and_status_2(arguments):
    with open("/dev/full", "wb") as full:
        found = run(arguments, full)
    assert found.stderr.decode() == "nngp-dag: error: cannot write standard output: No space left on device\n"
    assert found.returncode == 2


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_leaves_and_a_stream_that_is_closed_are_quiet(arguments, left_pipe):
    left = run(arguments, left_pipe)
    assert (left.returncode, left.stderr) == (0, b"")
    closed = run(arguments, None, close=1)
    assert (closed.returncode, closed.stderr) == (0, b"")


def test_a_check_that_fails_fails_also_where_nobody_reads_it(left_pipe, tmp_path):
    certificate = {
        "schema": 1,
        "kind": "strict-inequality",
        "activation": "relu",
        "statement": "with a hole, so not proved",
        "interval": ["0", "2"],
        "constant": "0",
        "terms": [{"code": "2", "coefficient": "1", "quantity": "covariance"}],
        "cuts": ["0", "1"],
        "precision": 64,
    }
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(certificate))
    found = run(["verify", "--recheck", str(path)], left_pipe)
    assert (found.returncode, found.stderr) == (1, b"")


def test_a_stream_without_end_stops_with_its_reader():
    """`filter` reads for ever here; its reader takes one line."""
    command = [sys.executable, "-m", "nngp_dag", "filter", "nasbench201"]
    endless = f"while True: print({ARCHITECTURE.decode().strip()!r})"
    with (
        subprocess.Popen([sys.executable, "-c", endless], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as source,
        subprocess.Popen(command, stdin=source.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as found,
    ):
        assert source.stdout is not None and found.stdout is not None and found.stderr is not None
        source.stdout.close()
        assert found.stdout.readline() == ARCHITECTURE
        found.stdout.close()
        assert found.stderr.read() == b""
        assert found.wait(60) == 0


def test_closed_standard_error_and_input():
    found = run(["paths", "malformed"], subprocess.PIPE, close=2)
    assert (found.returncode, found.stdout) == (2, b"")
    found = run(["filter", "nasbench201"], subprocess.PIPE, close=0, stdin=None)
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")


def test_a_terminal_that_knows_only_ascii_gets_what_it_can_show(tmp_path):
    found = run(["paths", "2_02"], subprocess.PIPE, environment={"PYTHONIOENCODING": "ascii"})
    assert found.returncode == 0 and b"effective depth" in found.stdout
