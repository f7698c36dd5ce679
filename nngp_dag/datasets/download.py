"""Downloads from the publishers into the user's cache folder, checked against recorded SHA-256 sums."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from nngp_dag.errors import InputError
from nngp_dag.support.progress import Transfer

__all__ = ["REMOTE", "RemoteFile", "cache_folder", "fetch"]


@dataclass(frozen=True)
class RemoteFile:
    """A file of a publisher.

    Attributes:
        name: file name, in the folder of its publisher's data set within the cache.
        urls: where it is, the publisher first, then mirrors; whichever answers with the right content serves.
        sha256: checksum of the content.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str


def _mnist(name: str, sha256: str) -> RemoteFile:
    hosts = ("https://yann.lecun.com/exdb/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/")
    return RemoteFile(name, tuple(host + name for host in hosts), sha256)


REMOTE: dict[str, RemoteFile] = {
    file.name: file
    for file in (
        _mnist("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        _mnist("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        _mnist("t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        _mnist("t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        RemoteFile(
            "cifar-10-python.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        ),
    )
}
"""The files that `fetch` knows, by name."""


def cache_folder() -> Path:
    """The user's cache folder for this package; the environment variable NNGP_DAG_CACHE names another."""
    import pooch

    return Path(os.environ.get("NNGP_DAG_CACHE") or pooch.os_cache("nngp_dag"))


def fetch(name: str) -> Path:
    """The path of a file of `REMOTE` in the cache, downloaded first where it is not there yet.

    A download is written beside its place, checked, then moved there: what fails leaves nothing.

    Raises:
        InputError: no address answered with the recorded content, or the cache cannot be written.
    """
    import pooch

    file = REMOTE[name]
    path = cache_folder() / file.name
    try:
        if path.is_file() and pooch.file_hash(str(path), alg="sha256") == file.sha256:
            return path
    except OSError as error:
        raise InputError(f"cannot use the cache folder {path.parent}: {error.strerror or error}") from None
    reasons = []
    for url in file.urls:
        try:
            _download(url, file, path)
            return path
        except (
            Exception
        ) as error:  # network libraries raise of many kinds; each is reported, and the next address tried
            reasons.append(f"{url.split('/')[2]}: {_reason(error)}")
    raise InputError(
        f"cannot download {name} ({'; '.join(reasons)}): try again, or name a folder that holds it (--data-dir)"
    )


def _download(url: str, file: RemoteFile, path: Path) -> None:
    import pooch

    # pooch announces each download in several lines of log; the progress bar says it in one.
    pooch.get_logger().setLevel(logging.WARNING)
    progress = Transfer(file.name)
    try:
        # `identity`: a server must not pack what is packed, nor have it unpacked on the way.
        headers = {"Accept-Encoding": "identity"}
        downloader = pooch.HTTPDownloader(timeout=30, chunk_size=1 << 16, headers=headers, progressbar=progress)
        pooch.retrieve(
            url, known_hash=f"sha256:{file.sha256}", fname=path.name, path=path.parent, downloader=downloader
        )
    finally:
        progress.close()


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, ValueError) and "hash" in str(error):
        return "its content does not have the recorded checksum"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
        return "the connection broke off"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return " ".join(str(error).split())[:120] or type(error).__name__
