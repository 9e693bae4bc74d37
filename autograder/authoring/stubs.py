"""What a student sees in place of a solution."""

from __future__ import annotations

import ast
import re

from autograder.errors import UserError
from dgm.grader.payload import EMPTY_ANSWER

CODE_STUB = '# TODO: your code here.\nraise NotImplementedError("Replace this line by your answer.")'
TEXT_STUB = EMPTY_ANSWER
_STUB_LINE = re.compile(r'^(\s*)raise NotImplementedError\("Replace this line by your answer\."\)$')


def name_stubs(text: str, question: str, where: str) -> str:
    """Give each general stub of a cleared cell a sentence with the question and the function it stands in.

    Raises `UserError` if the cleared cell is no longer valid Python, or a stub stands outside of a function, where
    it would stop the notebook as soon as the cell is run.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise UserError(f"{where}: without its solution it is not valid Python ({error.msg}).") from None
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        match = _STUB_LINE.match(line)
        if not match:
            continue
        name = _enclosing(tree, number)
        if name is None:
            raise UserError(f"{where}: the solution region must be inside a function, so that the stub can be called.")
        lines[number - 1] = f'{match[1]}raise NotImplementedError("{_label(question)}: {name} is still to be written.")'
    return "\n".join(lines)


def _enclosing(tree: ast.AST, line: int, prefix: str = "", inside: bool = False) -> str | None:
    """The qualified name of the innermost function around ``line``."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            function = not isinstance(node, ast.ClassDef)
            return _enclosing(node, line, f"{prefix}{node.name}.", function or inside)
    return prefix.rstrip(".") if inside else None


def _label(question: str) -> str:
    return f"Question {question[1:]}" if re.fullmatch(r"q\d+\w*", question) else question
