"""Files that are missing, closed to the reader, endless, of another kind, or no strict JSON: one line each."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys

import pytest

from nngp_dag.cli import main
from nngp_dag.errors import InputError
from nngp_dag.support import reading_files
from nngp_dag.support.reading_files import Kind, bounded_lines, kind_of, line_text, open_file, read_text
from nngp_dag.support.strict_json import load_json, parse_json

_RIGHTS = "-dac_override,-dac_read_search"
WITHOUT_RIGHTS = ("setpriv", f"--bounding-set={_RIGHTS}", f"--inh-caps={_RIGHTS}")
"""Runs a command that may read no more than file modes say, for the superuser too."""


def without_rights(*command: str) -> subprocess.CompletedProcess[str]:
    """The command, run by a user whom file modes bind."""
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("the superuser reads everything, and there is no setpriv to give that up")
        command = (*WITHOUT_RIGHTS, *command)
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def _fifo(folder):
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


def _socket(folder):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "socket"))
    return folder / "socket"


def _loop(folder):
    (folder / "loop").symlink_to("loop")
    return folder / "loop"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_fifo, "it is not a regular file"),
        (_socket, "it is not a regular file"),
        (lambda folder: "/dev/zero", "it is not a regular file"),
        (lambda folder: folder, "it is a folder"),
        (lambda folder: folder / "none", "No such file"),
        (lambda folder: folder / ("a" * 256), "File name too long"),
        (lambda folder: folder / "a\0b", "null"),
        (_loop, "symbolic links"),
    ],
)
def test_what_is_no_regular_file_is_not_waited_for(make, reason, tmp_path):
    path = type(tmp_path)(make(tmp_path))
    with pytest.raises(InputError, match=reason) as refused, open_file(path):
        pass
    assert str(refused.value).startswith("cannot read ") and "\n" not in str(refused.value)


def test_kinds(tmp_path):
    (tmp_path / "file").touch()
    found = [kind_of(tmp_path / name) for name in ("file", ".", "none", "file/below")]
    assert found == [Kind.FILE, Kind.FOLDER, Kind.MISSING, Kind.MISSING]
    assert kind_of(_fifo(tmp_path)) is Kind.OTHER


def test_a_pipe_that_is_already_open_is_text_like_any_other():
    program = (
        "from pathlib import Path; from nngp_dag.support.reading_files import read_text as r; print(r(Path({!r})))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program.format("/dev/stdin")], input="2_02\n", capture_output=True, text=True, check=True
    )
    assert found.stdout == "2_02\n\n"


def test_a_folder_that_may_not_be_entered_and_a_file_that_may_not_be_read(tmp_path):
    folder, file = tmp_path / "closed", tmp_path / "file"
    folder.mkdir()
    (folder / "inside").touch()
    file.touch()
    file.chmod(0)
    folder.chmod(0)
    program = (
        "import sys; from pathlib import Path; from nngp_dag.errors import InputError;"
        "from nngp_dag.support.reading_files import read_text\n"
        "for name in sys.argv[1:]:\n"
        "    try: read_text(Path(name))\n"
        "    except InputError as error: print(error)"
    )
    found = without_rights(sys.executable, "-c", program, str(folder / "inside"), str(file))
    folder.chmod(0o700)
    assert found.stdout.splitlines() == [
        f"cannot read {folder / 'inside'}: Permission denied",
        f"cannot read {file}: Permission denied",
    ]


def test_text_is_utf_8_and_its_byte_order_mark_is_no_part_of_it(tmp_path):
    path = tmp_path / "codes.txt"
    path.write_bytes(b"\xef\xbb\xbf2_02\n")
    assert read_text(path) == "2_02\n"
    path.write_bytes(b"2_02\n\xff\xfe")
    with pytest.raises(InputError, match=r"not text in UTF-8 \(byte 5\)"):
        read_text(path)


def test_a_file_beyond_memory_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.json"
    path.touch()
    os.truncate(path, 2**43)  # holes: no block is written
    with pytest.raises(InputError, match=r"reading .* would need about 32.0 TiB of memory"):
        load_json(path)


def test_a_stream_of_unknown_length_is_read_within_memory(monkeypatch, tmp_path):
    path = tmp_path / "stream"
    path.write_bytes(bytes(2**21))
    monkeypatch.setattr(reading_files, "available_memory", lambda: 2**22)
    with path.open("rb") as stream, pytest.raises(InputError, match="more than the memory that is available"):
        reading_files.bounded_read(stream, path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b'{"a": 1', "Expecting"),
        (b'{"a": "\xff"}', r"not UTF-8 \(byte 7\)"),
        (b'\xef\xbb\xbf{"a": 1}', "byte order mark"),
        (b"[NaN]", "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"[1e999]", "beyond float64"),
        (b'{"a": 1, "b": 2, "a": 3}', "the key 'a' stands twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "digits"),
        (rb'["\ud800"]', "half a surrogate pair"),
    ],
)
def test_json_is_read_as_strictly_as_it_is_written(content, reason, tmp_path):
    path = tmp_path / "content.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason) as refused:
        load_json(path)
    message = str(refused.value)
    assert message.startswith(f"cannot read {path}: it is not JSON: ") and "\n" not in message and len(message) < 300


def test_undefined_numbers_of_published_files_are_taken_where_they_are_asked_for():
    undefined, infinite = parse_json("[NaN, -Infinity]", undefined=True)
    assert undefined != undefined and infinite == -float("inf")


def test_a_pair_of_surrogates_is_a_character():
    assert parse_json(r'"\ud83d\ude00"') == "\U0001f600"


def test_a_line_that_never_ends_is_read_in_part(monkeypatch):
    monkeypatch.setattr(reading_files, "_LONGEST_LINE", 8)
    lines = bounded_lines(io.BytesIO(b"short\n" + b"x" * 100 + b"\nlast one"))
    assert line_text(next(lines)) == "short"
    with pytest.raises(InputError, match="longer than 8 bytes"):
        line_text(next(lines))
    assert [line_text(line) for line in lines] == ["last one"]
    with open("/dev/zero", "rb") as endless, pytest.raises(InputError, match="longer than"):
        line_text(next(bounded_lines(endless)))


@pytest.mark.parametrize("command", [["filter", "nasbench201"], ["score", "effective-depth", "--archs"]])
@pytest.mark.parametrize("make", [_fifo, _loop, lambda _: "/dev/zero", lambda _: "half\ud800"])
def test_files_of_lines_are_judged_before_they_are_opened(command, make, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command, str(make(tmp_path))])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nngp-dag: error: ")
