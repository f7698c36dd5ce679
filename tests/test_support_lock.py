"""Locks, between processes: the second is told who is there, and one that was killed leaves nothing behind."""

import signal
import socket
import subprocess
import sys

import pytest
from verify_runs import status

from nngp_dag.errors import InputError
from nngp_dag.support.lock import Lock

HOLD = """
import sys, time
from pathlib import Path
from nngp_dag.support.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(request, tmp_path):
    """A process that has the lock of a folder, or of a file in it."""
    place = tmp_path / request.param
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(place)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process, place
    process.kill()
    process.communicate()


@pytest.mark.parametrize("holder", ["", "table.csv", "n" * 255], indirect=True)
def test_the_second_is_told_who_is_there_and_a_killed_one_is_gone(holder):
    process, place = holder
    with pytest.raises(InputError) as error:
        Lock(place)
    assert f"is in use by process {process.pid} on {socket.gethostname()} since 20" in str(error.value)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with Lock(place):
        pass
    folder = place if place.is_dir() else place.parent
    assert not list(folder.iterdir())


def test_a_file_that_is_no_lock_is_left_alone(tmp_path):
    (tmp_path / ".nngp-dag.lock").write_text("mine")
    with pytest.raises(InputError, match="in the way of a lock"):
        Lock(tmp_path)
    assert (tmp_path / ".nngp-dag.lock").read_text() == "mine"


def test_a_link_in_its_place_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("")
    (tmp_path / ".nngp-dag.lock").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="cannot write"):
        Lock(tmp_path)
    assert (tmp_path / "secret").read_text() == ""


@pytest.mark.parametrize(
    ("holder", "arguments"),
    [
        ("", ["verify", "--claims", "definition-4.1", "--out", "."]),
        ("table.csv", ["sweep", "--nodes", "2", "--data", "digits:3", "--out", "table.csv"]),
    ],
    indirect=["holder"],
)
def test_commands_in_one_place_take_turns(holder, arguments, monkeypatch, capsys):
    process, place = holder
    monkeypatch.chdir(place.parent if place.suffix else place)
    assert status(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"is in use by process {process.pid} on " in line
