"""Files that are whole or not there, whatever happens to the writer or lies in the way."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nngp_dag.errors import InputError
from nngp_dag.support import files
from nngp_dag.support.files import atomic_file, check_writable, write_bytes, write_text
from nngp_dag.support.lock import Lock


def test_new_and_old_files_get_the_content_and_the_rights_of_a_new_file(tmp_path):
    path = tmp_path / "table.csv"
    for content in ("a,b\r\né\n", "new\n"):
        write_text(path, content)
        assert path.read_bytes() == content.encode()
        assert os.listdir(tmp_path) == ["table.csv"]
    before = os.umask(0o027)
    try:
        write_bytes(path, b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_writer_that_is_killed_leaves_the_old_file(tmp_path):
    path = tmp_path / "result"
    path.write_text("old")
    program = (
        "import os, signal, sys; from pathlib import Path; from nngp_dag.support.files import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as file:\n"
        "    file.write(b'ne'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program, path], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    left = set(os.listdir(tmp_path)) - {"result"}
    assert len(left) == 1 and left.pop().startswith(".result.")  # it was half-way, and that is what is left of it
    write_text(path, "new")  # and that is in nobody's way
    assert path.read_text() == "new"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "result"
    path.write_text("old")
    opened = os.fdopen

    def full(descriptor, mode):
        os.close(descriptor)
        return opened(os.open("/dev/full", os.O_WRONLY), mode)

    monkeypatch.setattr(files.os, "fdopen", full)
    with pytest.raises(InputError, match=rf"^cannot write {path}: No space left on device$"):
        write_text(path, "new")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["result"]


def test_an_exception_in_the_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "result"
    path.write_text("old")

    def interrupted():
        with atomic_file(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["result"]


def test_a_missing_folder_and_a_directory_in_the_way_are_one_line(tmp_path):
    missing, folder = tmp_path / "none" / "x.npz", tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InputError, match=rf"^cannot write {missing}: No such file or directory$"):
        write_text(missing, "x")
    with pytest.raises(InputError, match=rf"^cannot write {folder}: Is a directory$"):
        write_text(folder, "x")
    assert os.listdir(tmp_path) == ["folder"]
    with pytest.raises(InputError, match=rf"^cannot write {missing}: the folder {missing.parent} does not exist$"):
        check_writable(missing, "an .npz file")
    with pytest.raises(InputError, match=rf"{folder}: it is a directory \(expected the name of an .npz file\)$"):
        check_writable(folder, "an .npz file")


def test_links_in_the_way_are_not_written_through(tmp_path, monkeypatch):
    """Neither at names that could be guessed, nor at the very name that is tried."""
    path, victim = tmp_path / "k.npz", tmp_path / "victim"
    victim.write_text("precious")
    for name in (".k.npz.tmp", f".k.npz.{os.getpid()}.tmp", f".k.npz.{os.getpid()}", f".k.npz.{os.getpid()}.part"):
        (tmp_path / name).symlink_to(victim)
    write_text(path, "kernels")
    assert path.read_text() == "kernels" and not path.is_symlink() and victim.read_text() == "precious"
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "guessed")
    (tmp_path / ".k.npz.guessed.tmp").symlink_to(victim)
    with pytest.raises(InputError, match="File exists"):
        write_text(path, "more")
    assert path.read_text() == "kernels" and victim.read_text() == "precious"
    assert (tmp_path / ".k.npz.guessed.tmp").is_symlink()  # what another made is not removed


def test_a_link_at_the_target_is_replaced(tmp_path):
    path, victim = tmp_path / "out", tmp_path / "victim"
    victim.write_text("precious")
    path.symlink_to(victim)
    write_text(path, "mine")
    assert path.read_text() == "mine" and not path.is_symlink() and victim.read_text() == "precious"


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/null")], ids=["pipe", "device"])
def test_a_pipe_or_device_is_not_replaced_by_a_file(make, tmp_path):
    path = tmp_path / "out"
    make(path)
    before = path.lstat()
    for write in (lambda: write_text(path, "new"), lambda: check_writable(path, "a file")):
        with pytest.raises(InputError, match="not a regular file"):
            write()
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)


@pytest.mark.parametrize("name", ["a" * 256, "a\0b"])
def test_a_name_that_no_file_can_have_is_refused_before_the_work(name, tmp_path):
    for check in (lambda path: check_writable(path, "a file"), files.make_folder, lambda path: write_text(path, "")):
        with pytest.raises(InputError, match="cannot write"):
            check(tmp_path / name)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs the names of open files")
def test_a_file_that_is_read_as_input_is_not_the_place_of_results(tmp_path):
    source, linked, other = tmp_path / "x.npz", tmp_path / "link.npz", tmp_path / "y.npz"
    absent = tmp_path / "d" / ".." / "absent"
    source.write_bytes(b"rows")
    linked.symlink_to("x.npz")
    (tmp_path / "d").mkdir()
    for out, inputs in (
        (source, [source]),
        (source, [None, linked]),
        (linked, [source]),
        (absent, [tmp_path / "absent"]),
    ):
        with pytest.raises(InputError, match="it is read as input"):
            check_writable(out, "an .npz file", inputs)
    check_writable(other, "an .npz file", [None, source, tmp_path / "no" / "such", Path("x" * 300), Path("\0")])


def test_a_lock_on_a_full_disk_leaves_no_file(tmp_path, monkeypatch):
    def full(descriptor, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("nngp_dag.support.lock.os.write", full)
    with pytest.raises(InputError, match="No space left"):
        Lock(tmp_path / "table.csv")
    monkeypatch.undo()
    assert os.listdir(tmp_path) == []
    Lock(tmp_path / "table.csv").release()


def test_the_name_of_a_stream_is_not_replaced_where_the_stream_goes_to_a_file(tmp_path):
    """As /dev/stdout is for a command whose output goes to a file: for the superuser a rename would take its place."""
    with (tmp_path / "output").open("wb") as output:
        link = tmp_path / "stdout"
        link.symlink_to(f"/proc/self/fd/{output.fileno()}")
        for path in (link, Path(f"/proc/self/fd/{output.fileno()}")):
            with pytest.raises(InputError, match="not a regular file"):
                check_writable(path, "a table")
            with pytest.raises(InputError, match="not a regular file"):
                write_text(path, "x")
    assert link.is_symlink() and sorted(os.listdir(tmp_path)) == ["output", "stdout"]
