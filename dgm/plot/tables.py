"""Tables as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from dgm.plot.styling import to_array


def table(rows: Iterable[Sequence[Any]] | Mapping[Any, Any], header: Sequence[str] | None = None) -> None:
    """Print :func:`format_table`."""
    print(format_table(rows, header))


def format_table(rows: Iterable[Sequence[Any]] | Mapping[Any, Any], header: Sequence[str] | None = None) -> str:
    """An aligned text table: numbers to the right with four significant digits, the rest to the left.

    Args:
        rows: Sequences of cells, or a dict whose items are rows of two. None is shown as "–", such as a guess that
            was not made; short rows are filled with empty cells.
        header: The names of the columns.
    """
    cells = [list(row) for row in (rows.items() if isinstance(rows, Mapping) else rows)]
    texts = [[_cell(cell) for cell in row] for row in cells]
    lines = ([list(header)] if header is not None else []) + texts
    count = max((len(line) for line in lines), default=0)
    lines = [line + [""] * (count - len(line)) for line in lines]
    widths = [max(len(line[j]) for line in lines) for j in range(count)]
    columns = [[row[j] for row in cells if len(row) > j] for j in range(count)]
    numeric = [any(cell is not None for cell in column) and all(map(_is_number, column)) for column in columns]
    align = [str.rjust if right else str.ljust for right in numeric]
    out = ["  ".join(f(text, width) for f, text, width in zip(align, line, widths)) for line in lines]
    if header is not None:
        out.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(line.rstrip() for line in out)


def _is_number(cell: Any) -> bool:
    if cell is None:
        return True
    return not isinstance(cell, (str, bool)) and np.ndim(cell) == 0 and bool(np.isreal(to_array(cell)).item())


def _cell(cell: Any) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, (str, bool)):
        return str(cell)
    if np.ndim(cell) == 0 and hasattr(cell, "item"):
        cell = cell.item()
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:#.4g}".rstrip(".") if isinstance(cell, float) else str(cell)  # 2.940, as precise as its neighbours
