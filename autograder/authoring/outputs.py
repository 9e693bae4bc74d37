"""Makes executed outputs fit to be committed: no paths, no addresses, no progress bars, small images."""

from __future__ import annotations

import base64
import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

PALETTE_ABOVE = 60_000  # bytes of a PNG above which 256 colours are tried
KEEP_TYPES = ("text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/svg+xml", "image/jpeg")
MAX_TEXT = 20_000
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_EMBEDDED = re.compile(r"data:image/[\w+.-]+;base64,[A-Za-z0-9+/=]+")  # a picture in HTML, such as a film
_PICTURE = "\x00"
_PACKAGES = re.compile(r"(?:/[^\s:'\"/]+)+/(?:site|dist)-packages/")


def tidy_outputs(outputs: list[Any], folders: list[Path]) -> list[Any]:
    """Outputs of one cell: stdout joined and collapsed, stderr dropped, images shrunk, local paths removed.

    ``folders``: local folders whose names must not appear (the scratch folder, the repository).
    """
    tidy: list[Any] = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name != "stdout":
                continue
            if tidy and tidy[-1].output_type == "stream":
                tidy[-1].text += output.text
            else:
                tidy.append(output)
        elif output.output_type in ("display_data", "execute_result"):
            output.data = {kind: value for kind, value in output.data.items() if kind in KEEP_TYPES}
            output.metadata = {}
            if output.data:
                tidy.append(output)
        else:
            tidy.append(output)
    for output in tidy:
        if output.output_type == "stream":
            output.text = _text(output.text, folders)
        else:
            for kind, value in getattr(output, "data", {}).items():
                if kind == "image/png":
                    output.data[kind] = small_png(value)
                elif isinstance(value, str):
                    output.data[kind] = _text(value, folders)
    return [output for output in tidy if output.output_type != "stream" or output.text.strip()]


def _text(text: str, folders: list[Path]) -> str:
    """The text without what differs from place to place, and not too long; pictures in it stay as they are."""
    pictures = iter(_EMBEDDED.findall(text))
    text = _words(_EMBEDDED.sub(_PICTURE, text.replace(_PICTURE, "")), folders)
    return re.sub(_PICTURE, lambda match: next(pictures), text)


def _words(text: str, folders: list[Path]) -> str:
    text = collapse(_COLOUR.sub("", text))
    text = _PACKAGES.sub("…/", text)
    for folder in sorted({*map(str, folders), *(str(folder.resolve()) for folder in folders)}, key=len, reverse=True):
        text = text.replace(folder, ".")
    for folder, short in ((sys.prefix, "…"), (str(Path.home()), "~"), (tempfile.gettempdir(), "…")):
        if len(folder) > 1:
            text = text.replace(folder + "/", short + "/")
    text = _ADDRESS.sub("0x…", text)
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "\n… (cut)\n"


def collapse(text: str) -> str:
    """What a terminal would show in the end: each line after its last carriage return, backspaces applied."""
    lines = []
    for line in text.split("\n"):
        parts = [part for part in line.split("\r") if part]
        shown = ""
        for part in parts:
            shown = part + shown[len(part):]
        lines.append(shown.rstrip() if len(parts) > 1 else shown)
    return "\n".join(lines)


def small_png(data: str) -> str:
    """The same image in fewer bytes: without metadata, and with 256 colours if that helps."""
    try:
        from PIL import Image
    except ImportError:
        return data
    raw = base64.b64decode(data)
    try:
        image: Any = Image.open(io.BytesIO(raw))
        image.load()
    except OSError:
        return data
    flat = image
    if image.mode == "RGBA" and image.getextrema()[3] == (255, 255):  # opaque, as Matplotlib's figures are
        flat = image.convert("RGB")
    best = min((raw, _png(flat)), key=len)
    if len(best) > PALETTE_ABOVE and flat.mode == "RGB":
        best = min((best, _png(flat.quantize(256))), key=len)
    return base64.b64encode(best).decode()


def _png(image: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
