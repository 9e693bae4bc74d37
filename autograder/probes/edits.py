"""Applies the text edits of mistakes and alternatives to the reference's answer cells."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from autograder.errors import UserError
from autograder.probes.source import Source
from autograder.probes.spec import Edit, Question, Variant


def is_block(text: str) -> bool:
    """Whether a text stands for whole lines."""
    return text.startswith("\n")


def edited(texts: Sequence[str], variant: Variant) -> list[str]:
    """The texts of a question's answer cells after the variant's edits, one after the other.

    Raises:
        UserError: a place does not occur exactly once.
    """
    found = list(texts)
    for edit in variant.edits:
        places = [(number, span) for number, text in enumerate(found) for span in _places(text, edit.old)]
        if len(places) != 1:
            shown = " ⏎ ".join(line.strip() for line in edit.old.strip().split("\n"))
            times = "does not occur" if not places else f"occurs {len(places)} times, not once,"
            raise UserError(f"{variant.where}: {variant.id}: `{shown}` {times} in the question's answer cells.")
        number, (start, stop, indent) = places[0]
        found[number] = _replaced(found[number], start, stop, indent, edit, variant)
    return found


def _places(text: str, old: str) -> list[tuple[int, int, str]]:
    """Where a place stands: start and stop of what is replaced, and for whole lines their indentation."""
    if not is_block(old):
        return [(at, at + len(old), "") for at in _starts(text, old)]
    wanted, lines = _lines(old), text.split("\n")
    if not any(wanted):
        return []
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    found = []
    for first in range(len(lines) - len(wanted) + 1):
        if not lines[first].endswith(wanted[0]):
            continue
        indent = lines[first].removesuffix(wanted[0])
        whole = [indent + line if line else "" for line in wanted]
        if not indent.strip() and lines[first : first + len(wanted)] == whole:
            found.append((offsets[first], offsets[first + len(wanted)] - 1, indent))
    return found


def _starts(text: str, piece: str) -> Iterator[int]:
    at = text.find(piece) if piece else -1
    while at >= 0:
        yield at
        at = text.find(piece, at + 1)


def _lines(block: str) -> list[str]:
    """The lines of a block, without the indentation of its closing quotes, or else what they have in common."""
    first, *lines = block.split("\n")
    margin = lines.pop() if lines and not lines[-1].strip() else None
    if margin is None or not all(line.startswith(margin) for line in lines if line.strip()):
        return textwrap.dedent("\n".join(lines)).split("\n")
    return [line[len(margin) :].rstrip() for line in lines]


def _replaced(text: str, start: int, stop: int, indent: str, edit: Edit, variant: Variant) -> str:
    if not is_block(edit.new):
        if edit.new == "" and is_block(edit.old):  # the lines go, with their line break
            return text[:start] + text[stop + 1 :] if stop < len(text) else text[: max(0, start - 1)]
        new = indent + edit.new if is_block(edit.old) else edit.new
        return text[:start] + new + text[stop:]
    if not is_block(edit.old):  # whole lines for a piece of a line: it must be all of its line
        line_start = text.rfind("\n", 0, start) + 1
        line_stop = text.find("\n", stop) if "\n" in text[stop:] else len(text)
        indent = text[line_start:start]
        if indent.strip() or text[stop:line_stop].strip():
            raise UserError(
                f"{variant.where}: {variant.id}: whole lines can only replace whole lines, and `{edit.old}` is a part "
                "of one."
            )
        start, stop = line_start, line_stop
    new = "\n".join(indent + line if line else "" for line in _lines(edit.new))
    return text[:start] + new + text[stop:]


def check_edits(question: Question, source: Source) -> None:
    """Raise `UserError` for the first edit of a question whose place is not there."""
    texts = [cell.text for cell in source.answers(question.id)]
    for variant in (*question.mistakes, *question.alternatives):
        edited(texts, variant)
