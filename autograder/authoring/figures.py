"""Pictures that a text shows travel inside the notebook, since Colab opens it without the files beside it."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from autograder.errors import UserError

FIGURE = re.compile(r"!\[([^\]\n]*)\]\((figures/[\w.-]+)\)")
TYPES = {".png": "image/png", ".jpg": "image/jpeg"}


def with_figures(text: str, folder: Path, where: str) -> str:
    """A Markdown text in which ``![words](figures/name.png)`` holds the picture itself.

    The data come last, as a reference, so that the source of the cell can still be read.

    Raises:
        UserError: the file is not there, or is no PNG or JPEG.
    """
    names = list(dict.fromkeys(name for _, name in FIGURE.findall(text)))
    if not names:
        return text
    labels = {name: f"figure-{Path(name).stem}" for name in names}
    text = FIGURE.sub(lambda match: f"![{match[1]}][{labels[match[2]]}]", text)
    return "\n\n".join([text, *(f"[{labels[name]}]: {_data(folder / name, where)}" for name in names)])


def _data(path: Path, where: str) -> str:
    kind = TYPES.get(path.suffix)
    if kind is None:
        raise UserError(f"{where}: {path.name} is neither a .png nor a .jpg.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{where}: {path} cannot be read ({error.strerror}).") from None
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
