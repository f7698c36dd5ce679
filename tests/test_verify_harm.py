"""`verify` loses nothing and harms nothing: what it deletes, what it resumes, and what it knows before it runs."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from verify_runs import LOG, claim_text, finished, status

from nngp_dag import datasets
from nngp_dag.errors import InputError
from nngp_dag.support.lock import Lock
from verify.baseline import load_baseline
from verify.framework import fingerprint as fingerprints
from verify.framework.claim import discover
from verify.framework.execute import crash_record, execute
from verify.framework.fingerprint import checked_data, fingerprint
from verify.framework.options import Options
from verify.framework.store import NAME, Store
from verify.session import update_baseline

MARKER = "made-by-nngp-dag-verify.txt"
IDENTITY = {"profile": "quick", "seed": 0}


@pytest.fixture(scope="module")
def record():
    """The record of a claim."""
    claim = discover()["definition-4.1"]
    return execute(claim, Options().context(claim.id))


def test_a_folder_named_partial_is_nobody_s_business(tmp_path):
    """A harm of the past: the folder was taken for an unfinished run, and removed."""
    (tmp_path / "partial").mkdir()
    (tmp_path / "partial" / "keep.txt").write_text("x")
    assert status(["verify", "--claims", "definition-4.1", "--jobs", "1", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "partial" / "keep.txt").read_text() == "x"
    assert not (tmp_path / NAME).exists() and (tmp_path / "report.json").exists()


def test_a_folder_of_its_name_that_it_did_not_make_is_refused(tmp_path):
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / LOG).write_text("mine")
    with pytest.raises(InputError, match="was not made by nngp-dag verify"):
        Store(tmp_path, IDENTITY, fresh=True)
    assert (tmp_path / NAME / LOG).read_text() == "mine"


@pytest.mark.parametrize("marked", [True, False])
def test_links_are_not_followed(tmp_path, marked):
    """To a folder, marked or not, at the place of its own."""
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    out.mkdir()
    elsewhere.mkdir()
    if marked:
        with Store(elsewhere, IDENTITY):
            pass
    target = elsewhere / NAME if marked else elsewhere
    (out / NAME).symlink_to(target)
    before = sorted(elsewhere.rglob("*"))
    with pytest.raises(InputError, match="it is no folder"):
        Store(out, IDENTITY)
    assert sorted(elsewhere.rglob("*")) == before


def test_files_of_others_stay_in_its_folder(tmp_path, record):
    store = Store(tmp_path, IDENTITY)
    store.save(record)
    secret = tmp_path / "secret"
    secret.write_text("x")
    (store.compiled / "jit_f-0123-cache").write_text("a program")
    (store.compiled / "jit_g-0123-cache").symlink_to(secret)
    for place in (tmp_path / NAME / "keep.txt", store.compiled / "notes"):
        place.write_text("mine")
    store.clear()
    left = {str(path.relative_to(tmp_path / NAME)) for path in (tmp_path / NAME).rglob("*")}
    assert left == {
        "keep.txt",
        "compiled",
        "compiled/notes",
        "compiled/jit_g-0123-cache",
        "made-by-nngp-dag-verify.txt",
    }
    assert secret.read_text() == "x"
    Store(tmp_path, IDENTITY).clear()  # and it is still known as its own


def _sealed(text):
    return f"{hashlib.sha256(text.encode()).hexdigest()[:16]} {text}\n"


DAMAGE = {
    "an edited verdict": lambda line: line.replace(b"certified", b"refuted  "),
    "torn": lambda line: line[: len(line) // 2],
    "no UTF-8": lambda line: line[:100] + b"\xff" + line[101:],
    "twice": lambda line: line + line,
    "an unknown key": lambda line: _resealed(line, lambda record: record.update(extra=1)),
    "no evidence": lambda line: _resealed(line, lambda record: record.update(evidence=None)),
    "a strange verdict": lambda line: _resealed(line, lambda record: record.update(verdict="proved")),
    "another's": lambda line: _resealed(line, lambda record: record.update(id="dag-1")),
}


def _resealed(line, change):
    key, text = json.loads(line[17:])
    record = json.loads(text)
    change(record)
    return _sealed(json.dumps([key, json.dumps(record)])).encode()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_not_taken_over_and_said(tmp_path, record, damage):
    with Store(tmp_path, IDENTITY) as store:
        store.save(record)
    with Store(tmp_path, IDENTITY) as again:
        assert again.records == {record["id"]: record} and not again.remarks

    file = tmp_path / NAME / LOG
    first, line = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + DAMAGE[damage](line))
    with Store(tmp_path, IDENTITY) as damaged:
        assert not damaged.records
        assert ["damaged, torn off or written twice" in remark for remark in damaged.remarks] == [True]


def test_a_damaged_first_line_costs_all_records(tmp_path, record):
    with Store(tmp_path, IDENTITY) as store:
        store.save(record)
    file = tmp_path / NAME / LOG
    file.write_bytes(b"\x00" + file.read_bytes())
    with Store(tmp_path, IDENTITY) as again:
        assert not again.records and len(again.remarks) == 1


def test_records_of_another_run_are_not_taken_over_and_it_is_said_why(tmp_path, record):
    with Store(tmp_path, IDENTITY) as store:
        store.save(record)
    with Store(tmp_path, {**IDENTITY, "seed": 1}) as again:
        assert not again.records
        assert again.remarks == ["its 1 finished claims are of another run (seed)"]


def test_claims_that_crashed_are_tried_again(tmp_path):
    claim = discover()["definition-4.1"]
    with Store(tmp_path, IDENTITY) as store:
        store.save(crash_record(claim, Options().context(claim.id), "of course", 0.0))
    with Store(tmp_path, IDENTITY) as again:
        assert not again.records and not again.remarks


def _changed(before, after):
    return {name for name in before if before[name] != after[name]}


def test_the_fingerprint_knows_the_content_of_data_helpers_and_versions(tmp_path, monkeypatch):
    rows, folder = tmp_path / "rows.npy", tmp_path / "claims"
    (folder / "deep").mkdir(parents=True)
    for name in ("one.py", "_helper.py", "deep/er.py"):
        (folder / name).write_text("")
    np.save(rows, np.eye(3))
    options = Options((str(folder),), data=str(rows))

    def now():
        return fingerprint(options, checked_data(options))

    before = now()
    assert before == now()
    np.save(rows, 1.0 - np.eye(3))
    assert _changed(before, now()) == {"content of --data"}
    before = now()
    for name in ("one.py", "_helper.py", "deep/er.py"):
        (folder / name).write_text("x = 1")
        assert _changed(before, now()) == {"source of the claims"}
        before = now()
    monkeypatch.setattr(fingerprints, "versions", lambda: {"numpy": "0.1"})
    assert _changed(before, now()) == {"versions of Python and libraries"}


def test_the_fingerprint_knows_the_files_of_a_data_folder(tmp_path):
    batch = tmp_path / "cifar-10-batches-py" / "test_batch"
    batch.parent.mkdir()
    batch.write_bytes(b"one")
    options = Options(data_dir=str(tmp_path))
    data = datasets.load("digits:2")
    before = fingerprint(options, data)
    batch.write_bytes(b"two")
    assert _changed(before, fingerprint(options, data)) == {"content of --data-dir"}


def test_a_claims_folder_with_hidden_folders_and_links_is_read_once(tmp_path):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "big.py").write_text("")
    (tmp_path / "one.py").write_text("")
    os.symlink(tmp_path, tmp_path / "loop")
    assert fingerprints.source_files(tmp_path) == [tmp_path / "one.py"]


def _never(*_):
    raise AssertionError("a claim was run")


def _refusal(arguments, capsys, monkeypatch):
    """The one line with which a run ends before any claim is checked."""
    monkeypatch.setattr("verify.session.run", _never)
    assert status(["verify", "--claims", "definition-4.1", *map(str, arguments)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    return line


BASELINE = {"schema": 1, "profile": "quick", "seed": 0, "data": "digits", "claims": {}}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("profile", "full", "is of profile full, this run of quick"),
        ("seed", 1, "is of seed 1, this run of 0"),
        ("data", "mnist", "is of data mnist, this run of digits"),
        ("schema", 2, "is no baseline of schema 1"),
        ("schema", True, "is no baseline of schema 1"),
        ("seed", False, "is no baseline of schema 1"),
        (
            "claims",
            {"a": {"verdict": "holds", "key_values": {"x": {"value": 10**400, "tolerance": 0, "absolute": 0}}}},
            "is no baseline of schema 1",
        ),
        ("claims", {"a": {"verdict": "holds", "key_values": {"x": {"value": "1"}}}}, "is no baseline of schema 1"),
    ],
)
def test_a_baseline_that_cannot_serve_is_refused_before_any_claim_runs(
    tmp_path, capsys, monkeypatch, key, value, words
):
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps({**BASELINE, key: value}))
    line = _refusal(["--baseline", file, "--out", tmp_path / "out"], capsys, monkeypatch)
    assert words in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("key", "value"), [("profile", "full"), ("seed", 1), ("data", "mnist")])
def test_a_baseline_that_a_part_of_it_does_not_fit_is_refused_before_any_claim_runs(
    tmp_path, capsys, monkeypatch, key, value
):
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps({**BASELINE, key: value}))
    arguments = ["--baseline", file, "--update-baseline", "--out", tmp_path / "out"]
    assert f"{key} {value}" in _refusal(arguments, capsys, monkeypatch)
    assert json.loads(file.read_text())[key] == value


@pytest.mark.parametrize(("claims", "kept"), [("definition-4.1", {"gone"}), (None, set())])
def test_an_update_keeps_the_claims_that_were_not_asked_for(tmp_path, capsys, claims, kept):
    record = {"verdict": "holds", "key_values": {}}
    file = tmp_path / "baseline.json"
    file.write_text(
        json.dumps({**BASELINE, "claims": {"gone": record, "definition-4.1": {**record, "verdict": "refuted"}}})
    )
    new = {**BASELINE, "claims": {"definition-4.1": record}}
    update_baseline(file, load_baseline(file), new, partial=claims is not None)
    assert json.loads(file.read_text())["claims"] == {**dict.fromkeys(kept, record), **new["claims"]}
    assert ("1 left as they were" if kept else "removed: gone") in capsys.readouterr().err


def test_a_baseline_that_another_run_updates_is_left_to_it(tmp_path, capsys, monkeypatch):
    file = tmp_path / "baseline.json"
    with Lock(file):
        line = _refusal(["--baseline", file, "--update-baseline", "--out", tmp_path / "out"], capsys, monkeypatch)
    assert "is in use by" in line and not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["gone/baseline.json", f"{'n' * 256}.json", "folder"])
def test_a_place_for_the_baseline_that_cannot_be_written_is_refused_before_any_claim_runs(
    tmp_path, capsys, monkeypatch, place
):
    (tmp_path / "folder").mkdir()
    arguments = ["--baseline", tmp_path / place, "--update-baseline", "--out", tmp_path / "out"]
    line = _refusal(arguments, capsys, monkeypatch)
    assert place in line
    assert not (tmp_path / "out").exists()


def test_reports_that_cannot_be_written_are_refused_before_any_claim_runs(tmp_path, capsys, monkeypatch):
    (tmp_path / "junit.xml").mkdir()
    assert "junit.xml: it is a directory" in _refusal(["--out", tmp_path], capsys, monkeypatch)
    assert not (tmp_path / NAME).exists()
    (tmp_path / "file").write_text("x")
    assert "cannot create the folder" in _refusal(["--out", tmp_path / "file" / "out"], capsys, monkeypatch)
    assert "too long" in _refusal(["--out", tmp_path / ("n" * 256)], capsys, monkeypatch)


@pytest.mark.parametrize("data", ["nope", "digits:0", "gone.npy"])
def test_data_are_checked_though_no_claim_uses_them(tmp_path, capsys, monkeypatch, data):
    line = _refusal(["--data", data, "--out", tmp_path / "out"], capsys, monkeypatch)
    assert data in line
    assert not (tmp_path / "out").exists()


def test_where_no_baseline_may_be_recorded_the_report_is_there(tmp_path, capsys):
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "raises.py").write_text(claim_text("raises", check="1 / 0"))
    baseline, out = tmp_path / "baseline.json", tmp_path / "out"
    arguments = ["verify", "--claims-dir", str(tmp_path / "claims"), "--claims", "raises", "--jobs", "1",
                 "--out", str(out), "--baseline", str(baseline), "--update-baseline"]  # fmt: skip
    assert status(arguments) == 2
    assert "no baseline recorded: raises crashed" in capsys.readouterr().err
    assert json.loads((out / "report.json").read_text())["summary"] == {"crashed": 1}
    assert not baseline.exists()


def test_a_disk_that_is_full_is_one_line_and_leaves_what_was_complete(tmp_path):
    """Files may grow to 40,000 bytes: one claim is kept, another, of a long summary, is not."""
    resource = pytest.importorskip("resource")
    folder, out = tmp_path / "claims", tmp_path / "out"
    folder.mkdir()
    (folder / "short.py").write_text(claim_text("short", duration=2.0))
    long = "return Evidence([Finding(True, cases=1, tolerance=0.0, label='one')], summary='x' * 50_000)"
    (folder / "long.py").write_text(claim_text("long", check=long, duration=1.0))
    command = [sys.executable, "-m", "verify", "--claims-dir", str(folder), "--claims", "short,long", "--jobs", "1",
               "--out", str(out)]  # fmt: skip

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, preexec_fn=limit)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"nngp-dag: error: cannot write {out / NAME / LOG}: ")
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert {path.name for path in out.iterdir()} == {NAME}
    assert finished(out, "short") and not finished(out, "long")
