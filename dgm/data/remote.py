"""MNIST, CIFAR-10 and Tiny Shakespeare, for the gpu profile. Parsed from the plain binary files, never from pickles."""

from __future__ import annotations

import tarfile
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dgm.data.download import DataUnavailable, RemoteFile, fetch, read_content

_MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
_CIFAR_MIRRORS = ("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/")
_SHAKESPEARE_MIRRORS = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",
    "https://cdn.jsdelivr.net/gh/karpathy/char-rnn@master/data/tinyshakespeare/",
)


def _mnist_file(name: str, size: int, md5: str, content_md5: str) -> RemoteFile:
    return RemoteFile(name, size, md5, tuple(m + name for m in _MNIST_MIRRORS), "mnist", content_md5)


MNIST = {
    "train": (
        _mnist_file(
            "train-images-idx3-ubyte.gz", 9912422,
            "f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb",
        ),
        _mnist_file(
            "train-labels-idx1-ubyte.gz", 28881,
            "d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624",
        ),
    ),
    "test": (
        _mnist_file(
            "t10k-images-idx3-ubyte.gz", 1648877,
            "9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea",
        ),
        _mnist_file(
            "t10k-labels-idx1-ubyte.gz", 4542,
            "ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637",
        ),
    ),
}

CIFAR10 = RemoteFile(
    "cifar-10-binary.tar.gz", 170052171, "c32a1d4ab5d03f1284b67883e8d87530",
    tuple(m + "cifar-10-binary.tar.gz" for m in _CIFAR_MIRRORS), "cifar10",
)

SHAKESPEARE = RemoteFile(
    "input.txt", 1115394, "6fb458f1232090904fb40fe944165e91",
    tuple(m + "input.txt" for m in _SHAKESPEARE_MIRRORS), "tinyshakespeare", aliases=("tinyshakespeare.txt",),
)


def mnist(split: Literal["train", "test"] = "train", n: int | None = None) -> tuple[Tensor, Tensor]:
    """MNIST as ``(images, labels)``: float32 (N, 1, 28, 28) in [0, 1], int64 (N,).

    N = 60,000 or 10,000; or give ``n`` for only the first ones. Downloads 10 MB the first time.

    Raises:
        DataUnavailable: It cannot be downloaded (offline substitute: ``dgm.data.glyphs``).
        ValueError: An unknown split.
    """
    if split not in MNIST:
        raise ValueError(f"unknown split {split!r}: use 'train' or 'test'")
    count = 60000 if split == "train" else 10000
    images_file, labels_file = MNIST[split]
    substitute = f"dgm.data.glyphs(n, split={split!r}) (28×28, rendered) or dgm.data.digits({split!r}) (8×8, real)"
    images = parse_idx(read_content(fetch(images_file, substitute)))
    labels = parse_idx(read_content(fetch(labels_file, substitute)))
    if images.shape != (count, 28, 28) or labels.shape != (count,):
        raise ValueError(f"MNIST {split} has shapes {images.shape} and {labels.shape}")
    images, labels = images[:n], labels[:n]
    return _to_float(images[:, None]), torch.from_numpy(labels.astype(np.int64))


def cifar10(split: Literal["train", "test"] = "train", n: int | None = None) -> tuple[Tensor, Tensor]:
    """CIFAR-10 as ``(images, labels)``: float32 (N, 3, 32, 32) in [0, 1], int64 (N,).

    N = 50,000 or 10,000; or give ``n`` for only the first ones. Labels: airplane, automobile, bird, cat, deer, dog,
    frog, horse, ship, truck. Downloads 170 MB the first time; all of "train" takes 614 MB of memory.

    Raises:
        DataUnavailable: It cannot be downloaded (offline substitute: patches of photographs).
        ValueError: An unknown split.
    """
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}: use 'train' or 'test'")
    substitute = "dgm.data.patches(dgm.data.photo('china', gray=False), 32, n)"
    images, labels = _read_cifar10(fetch(CIFAR10, substitute), split)
    return _to_float(images[:n]), torch.from_numpy(labels[:n].astype(np.int64))


def tiny_shakespeare(split: Literal["train", "val", "all"] = "all") -> str:
    """Tiny Shakespeare: 1,115,394 characters, 65 different ones.

    "train" is the first 90% (1,003,854 characters), "val" the rest (111,540). Downloads 1.1 MB the first time.

    Raises:
        DataUnavailable: It cannot be downloaded (offline substitute: ``dgm.data.english``).
        ValueError: An unknown split.
    """
    if split not in ("train", "val", "all"):
        raise ValueError(f"unknown split {split!r}: use 'train', 'val' or 'all'")
    text = fetch(SHAKESPEARE, "dgm.data.english(split)").read_text(encoding="ascii")
    cut = int(0.9 * len(text))
    return {"train": text[:cut], "val": text[cut:], "all": text}[split]


def parse_idx(content: bytes) -> np.ndarray:
    """The uint8 array in an IDX file (MNIST's format).

    Raises:
        ValueError: Its header and its length do not fit.
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError("not an IDX file of unsigned bytes")
    dims = content[3]
    start = 4 + 4 * dims
    if len(content) < start:
        raise ValueError("IDX header cut off")
    shape = tuple(np.frombuffer(content, dtype=">u4", count=dims, offset=4).tolist())
    if len(content) - start != int(np.prod(shape, dtype=np.int64)):
        raise ValueError(f"IDX file of shape {shape} holds {len(content) - start} bytes")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def parse_cifar10(records: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (N, 3, 32, 32) and labels uint8 (N,) from records of 3,073 bytes.

    Raises:
        ValueError: The last record is cut off.
    """
    if len(records) % 3073:
        raise ValueError(f"CIFAR-10 batch of {len(records)} bytes is no multiple of 3073")
    table = np.frombuffer(records, dtype=np.uint8).reshape(-1, 3073)
    return table[:, 1:].reshape(-1, 3, 32, 32), table[:, 0]


@lru_cache(maxsize=2)
def _read_cifar10(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]
    parts = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:  # read in memory; nothing is unpacked to disk
            name = member.name.rpartition("/")[2]
            stream = archive.extractfile(member) if name in names else None
            if stream is not None:
                parts[name] = stream.read()
    missing = [name for name in names if name not in parts]
    if missing:
        raise DataUnavailable(f"{path} lacks {', '.join(missing)}")
    images, labels = parse_cifar10(b"".join(parts[name] for name in names))
    return images, labels


def _to_float(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float32)).div_(255)
