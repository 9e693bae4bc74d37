"""Which names does the text of a cell define at its top level?

Read off with regular expressions, never with a parser: the text is hostile and often broken. A parser says nothing of a
cell with one syntax error, does not know IPython's magics, and can be made to crash. A name too many (from within a
string) or too few (from ``exec``) costs no more than a probe that is asked again.

Cells may be megabytes long, and nobody else is served while they are looked at. So no pattern looks at a part of the
text more than a few times: each begins at the start of a line, and spaces never run on into the next one.
"""

from __future__ import annotations

import re

_SPACE = r"[ \t\f]"  # what Python takes for space within a line
_DEF_OR_CLASS = rf"(?:(?:async{_SPACE}+)?def|class)"
_HEAD = rf"^{_DEF_OR_CLASS}{_SPACE}+(\w+)"
_VARIABLE = rf"^(\w+){_SPACE}*(?::[^=\n]*)?=(?!=)"

FUNCTION_OR_CLASS = re.compile(_HEAD, re.MULTILINE)
_NAMES = re.compile(f"{_HEAD}|{_VARIABLE}", re.MULTILINE)
_DEFINITION = re.compile(rf"^{_SPACE}*(?:{_DEF_OR_CLASS}|import|from)\b", re.MULTILINE)
_PLAIN_VALUE = re.compile(r"^\w[\w ,]*=[^()]*$", re.MULTILINE)  # nothing is called, so it cannot take long


def functions_and_classes(text: str) -> list[str]:
    """Names of the functions and classes, in order."""
    return FUNCTION_OR_CLASS.findall(text)


def defined_names(text: str) -> list[str]:
    """Names of the functions, classes and variables, in order; of several targets of one ``=`` none is seen."""
    return [function or variable for function, variable in _NAMES.findall(text)]


def defines_something(text: str) -> bool:
    """True for cells with functions, classes, imports (also indented) or plain values; not for figures and training."""
    return bool(_DEFINITION.search(text) or _PLAIN_VALUE.search(text))
