"""Downloads, with file:// mirrors and a small local HTTP server; nothing here needs the internet."""

import gzip
import hashlib
import http.server
import io
import os
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import dgm
from dgm.data import DataUnavailable, download, remote
from dgm.data.download import RemoteFile, fetch, read_content

CONTENT = bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    for name in ("DGM_DATA", "DGM_OFFLINE", "DGM_GRADING"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DGM_CACHE", str(tmp_path / "cache"))
    return tmp_path


def remote_file(*urls, content=CONTENT, **keywords):
    return RemoteFile("data.bin", len(content), hashlib.md5(content).hexdigest(), urls, "set", **keywords)


def mirror(folder: Path, content=CONTENT, name="data.bin") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return (folder / name).as_uri()


def test_downloads_into_the_cache_and_then_needs_no_mirror(tmp_path):
    url = mirror(tmp_path / "a")
    path = fetch(remote_file(url), "x")
    assert path == tmp_path / "cache" / "set" / "data.bin" and path.read_bytes() == CONTENT
    assert os.listdir(path.parent) == ["data.bin"]  # no partial file is left
    (tmp_path / "a" / "data.bin").unlink()
    assert fetch(remote_file(url), "x") == path


def test_falls_through_bad_mirrors_to_a_good_one(tmp_path):
    missing = (tmp_path / "nowhere" / "data.bin").as_uri()
    wrong = mirror(tmp_path / "wrong", CONTENT[:-1] + b"!")
    long = mirror(tmp_path / "long", CONTENT + b"more")
    short = mirror(tmp_path / "short", b"<html>captive portal</html>")
    good = mirror(tmp_path / "good")
    assert fetch(remote_file(missing, wrong, long, short, good), "x").read_bytes() == CONTENT


def test_failure_names_every_place_and_the_substitute(tmp_path):
    missing = (tmp_path / "nowhere" / "data.bin").as_uri()
    wrong = mirror(tmp_path / "wrong", CONTENT[:-1] + b"!")
    with pytest.raises(DataUnavailable) as error:
        fetch(remote_file(missing, wrong), "dgm.data.digits()")
    text = str(error.value)
    assert missing in text and wrong in text and "wrong checksum" in text
    assert "dgm.data.digits()" in text and "DGM_DATA" in text
    assert not (tmp_path / "cache" / "set" / "data.bin").exists()


def test_damaged_cache_is_replaced(tmp_path):
    url = mirror(tmp_path / "a")
    path = fetch(remote_file(url), "x")
    path.write_bytes(b"damaged")
    assert fetch(remote_file(url), "x").read_bytes() == CONTENT


def test_dgm_data_comes_first_and_a_wrong_file_there_is_reported(tmp_path, monkeypatch):
    own = tmp_path / "own"
    monkeypatch.setenv("DGM_DATA", str(own))
    file = remote_file()
    for place in (own / "set", own):
        place.mkdir(parents=True, exist_ok=True)
        (place / "data.bin").write_bytes(CONTENT)
        assert fetch(file, "x") == place / "data.bin"
        (place / "data.bin").unlink()
    (own / "other.name").write_bytes(CONTENT)
    assert fetch(remote_file(aliases=("other.name",)), "x").name == "other.name"
    (own / "data.bin").write_bytes(b"something else")
    with pytest.raises(DataUnavailable, match="wrong checksum"):
        fetch(file, "x")
    (own / "data.bin").unlink()
    with pytest.raises(DataUnavailable, match=r"no data\.bin"):
        fetch(file, "x")


def test_repacked_and_unpacked_copies_are_accepted_if_the_content_is_right(tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("DGM_DATA", str(own))
    file = RemoteFile("d.gz", 1, "0" * 32, (), content_md5=hashlib.md5(CONTENT).hexdigest())
    (own / "d.gz").write_bytes(gzip.compress(CONTENT, 1))
    assert read_content(fetch(file, "x")) == CONTENT
    (own / "d.gz").unlink()
    (own / "d").write_bytes(CONTENT)
    assert read_content(fetch(file, "x")) == CONTENT
    (own / "d").unlink()
    (own / "d.gz").write_bytes(gzip.compress(CONTENT)[:-20])
    with pytest.raises(DataUnavailable, match="damaged gzip"):
        fetch(file, "x")


@pytest.mark.parametrize("name", ["DGM_OFFLINE", "DGM_GRADING"])
def test_offline_asks_no_mirror(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    with pytest.raises(DataUnavailable, match=f"{name}=1"):
        fetch(remote_file(mirror(tmp_path / "a")), "x")


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; breaks off after ``cut`` bytes; honours Range if ``ranges``; counts the bytes it sent."""

    cut, ranges, sent, seen = len(CONTENT), True, 0, ()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.seen += (asked,)
        if self.path != "/data.bin":
            self.send_error(404)
            return
        start = int(asked.split("=")[1].rstrip("-")) if asked and self.server.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        body = CONTENT[start : start + self.server.cut]
        self.server.sent += len(body)
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/data.bin"
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("ranges", [True, False])
def test_interrupted_download_continues(tmp_path, server, ranges):
    server.cut, server.ranges = 150_000, ranges
    with pytest.raises(DataUnavailable, match=r"broke off after 150000 of 256000 bytes|IncompleteRead"):
        fetch(remote_file(server.url), "x")
    part = tmp_path / "cache" / "set" / "data.bin.part"
    assert part.stat().st_size == 150_000
    server.cut = len(CONTENT)
    assert fetch(remote_file(server.url), "x").read_bytes() == CONTENT
    assert server.seen == (None, "bytes=150000-")
    assert server.sent == (256_000 if ranges else 150_000 + 256_000)
    assert not part.exists()


def test_a_wrong_beginning_is_noticed_and_the_next_mirror_starts_afresh(tmp_path, server):
    part = tmp_path / "cache" / "set" / "data.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    assert fetch(remote_file(server.url, server.url), "x").read_bytes() == CONTENT
    assert server.seen == ("bytes=1000-", None)


def test_a_complete_partial_file_is_not_downloaded_again(tmp_path, server):
    part = tmp_path / "cache" / "set" / "data.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    assert fetch(remote_file(server.url), "x").read_bytes() == CONTENT and server.seen == ()


def test_http_errors_are_told(server):
    with pytest.raises(DataUnavailable, match="HTTP 404"):
        fetch(remote_file(server.url.replace("data.bin", "other")), "x")


def test_progress_bar_is_shown_for_slow_downloads(capsys, monkeypatch):
    clock = iter(np.arange(0, 1000, 0.2))
    monkeypatch.setattr(download.time, "perf_counter", lambda: float(next(clock)))
    bar = download._Bar("name", 10_000_000)
    for have in range(0, 10_000_001, 1_000_000):
        bar.show(have)
    bar.close()
    out = capsys.readouterr().out
    assert "10.0/10.0 MB" in out and out.endswith("\n") and "█" * 24 in out


# --- parsers -------------------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    header = b"\x00\x00\x08" + bytes([array.ndim]) + b"".join(int(s).to_bytes(4, "big") for s in array.shape)
    return header + array.astype(np.uint8).tobytes()


def test_idx_round_trip_and_damage():
    array = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    assert np.array_equal(remote.parse_idx(idx(array)), array)
    for bad in (b"", b"\x00\x00\x08", idx(array)[:-1], idx(array) + b"x", b"\x1f\x8b" + idx(array), idx(array)[:7]):
        with pytest.raises(ValueError):
            remote.parse_idx(bad)


def test_cifar_records():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32))
    records = b"".join(bytes([k]) + p.astype(np.uint8).tobytes() for k, p in enumerate(pixels))
    images, labels = remote.parse_cifar10(records)
    assert np.array_equal(images, pixels) and labels.tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="3073"):
        remote.parse_cifar10(records[:-1])


def test_cifar10_from_an_archive(tmp_path, monkeypatch):
    def record(label):
        return bytes([label]) + bytes([10 * label]) * 3072

    own = tmp_path / "own"
    own.mkdir()
    with tarfile.open(own / "cifar-10-binary.tar.gz", "w:gz") as archive:
        for label, name in enumerate(["data_batch_2.bin", "test_batch.bin", "data_batch_1.bin", "data_batch_3.bin",
                                      "data_batch_4.bin", "data_batch_5.bin"]):  # fmt: skip
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = 3073
            archive.addfile(member, io.BytesIO(record(label)))
    monkeypatch.setenv("DGM_DATA", str(own))
    content = (own / "cifar-10-binary.tar.gz").read_bytes()
    monkeypatch.setattr(
        remote, "CIFAR10", RemoteFile("cifar-10-binary.tar.gz", len(content), hashlib.md5(content).hexdigest(), ())
    )
    x, y = dgm.data.cifar10("train")
    assert x.shape == (5, 3, 32, 32) and x.dtype == torch.float32 and y.tolist() == [2, 0, 3, 4, 5]
    assert torch.allclose(x[:, 0, 0, 0] * 255, 10.0 * y)
    assert dgm.data.cifar10("test")[1].tolist() == [1] and len(dgm.data.cifar10("train", n=2)[0]) == 2


def test_unavailable_data_sets_name_their_substitute(monkeypatch):
    monkeypatch.setenv("DGM_OFFLINE", "1")
    for load, substitute in (
        (dgm.data.mnist, "dgm.data.glyphs"),
        (dgm.data.cifar10, "dgm.data.patches"),
        (dgm.data.tiny_shakespeare, "dgm.data.english"),
    ):
        with pytest.raises(DataUnavailable, match=substitute):
            load()
        with pytest.raises(ValueError, match="unknown split"):
            load("validation")


def test_all_sources_are_https_and_checked():
    files = [*remote.MNIST["train"], *remote.MNIST["test"], remote.CIFAR10, remote.SHAKESPEARE]
    for file in files:
        assert len(file.urls) >= 2 and all(u.startswith("https://") and u.endswith(file.name) for u in file.urls)
        assert len(file.md5) == 32 and file.size > 0


# --- the real files, where a folder of them is given ----------------------------------------------------------

REAL = Path(os.environ.get("DGM_TEST_DATA", "/nonexistent"))


def real(*names):
    return pytest.mark.skipif(
        not all((REAL / n).exists() for n in names), reason=f"set DGM_TEST_DATA to a folder with {', '.join(names)}"
    )


@real("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
def test_real_mnist(monkeypatch):
    monkeypatch.setenv("DGM_DATA", str(REAL))
    x, y = dgm.data.mnist("test")
    assert x.shape == (10000, 1, 28, 28) and x.dtype == torch.float32 and x.min() == 0 and x.max() == 1
    assert y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9] and float(x.mean()) == pytest.approx(0.1325, abs=1e-3)


@real("tinyshakespeare.txt")
def test_real_tiny_shakespeare(monkeypatch):
    monkeypatch.setenv("DGM_DATA", str(REAL))
    text = dgm.data.tiny_shakespeare()
    assert len(text) == 1115394 and len(dgm.data.char_vocab(text)) == 65 and text.startswith("First Citizen:")
    assert len(dgm.data.tiny_shakespeare("train")) == 1003854 and len(dgm.data.tiny_shakespeare("val")) == 111540
