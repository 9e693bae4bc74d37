"""The repository keeps its promises: one set of ranges, pins that fit, a light student install, one-way imports."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch"}
NAMED_PACKAGES = {"jupyter", "nbgrader", "torch", "numpy", "matplotlib", "otter-grader", "nbconvert"}
TOP_LEVEL = {
    "ps1_simple_models", "autograder", "dgm", "docs", "examples", "tests",
    "environment.yml", "Makefile", "README.md", "course.toml", "pyproject.toml",
}


def ranges() -> dict[str, str]:
    lines = list(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        lines += extra
    parsed = [Requirement(line) for line in lines]
    return {item.name: str(item.specifier) for item in parsed if item.name != PROJECT["name"]}


def conda() -> dict[str, str]:
    lines: list[str] = []
    for entry in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]:
        lines += entry["pip"] if isinstance(entry, dict) else [entry]
    names = {value: key for key, value in CONDA_NAMES.items()}
    parsed = [Requirement(line) for line in lines if line not in ("pip", "-e .")]
    return {names.get(item.name, item.name): str(item.specifier) for item in parsed}


def test_environment_yml_agrees_with_pyproject():
    environment = conda()
    assert environment.pop("python") == PROJECT["requires-python"]
    assert environment == ranges()


def test_every_named_package_is_declared():
    assert set(ranges()) >= NAMED_PACKAGES


def test_top_level_is_as_promised():
    assert {path.name for path in ROOT.iterdir()} >= TOP_LEVEL


def test_pins_fit_the_ranges():
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if "==" in line:
            name, version = line.split("==")
            pins[name.lower().replace("_", "-")] = Version(version)
    wanted = {name: spec for name, spec in ranges().items() if name != "otter-grader"}
    for name, spec in wanted.items():
        assert Requirement(f"x{spec}").specifier.contains(pins[name.lower().replace("_", "-")]), name


def test_student_install_is_light():
    names = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert names == {"torch", "numpy", "matplotlib", "pillow", "scikit-learn", "jaxtyping"}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


# Each room may import the rooms to its left (and itself).
ORDER = [
    "errors", "sets", "text", "files", "jupyter", "course", "trust", "kernel", "probes", "submissions", "results",
    "grading", "cluster", "authoring", "proving", "reporting", "cli",
]


@pytest.mark.parametrize("path", sorted((ROOT / "autograder").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path):
    room = path.relative_to(ROOT / "autograder").parts[0].removesuffix(".py")
    if room in ("__init__", "__main__"):
        return
    for name in imports(path):
        if name.startswith("autograder."):
            target = name.split(".")[1]
            assert ORDER.index(target) <= ORDER.index(room), f"{room} imports {name}"


def modules() -> dict[str, Path]:
    """All modules of the two packages, by name."""
    found = {}
    for path in (path for package in ("autograder", "dgm") for path in (ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_modules(name: str, known: dict[str, Path]) -> set[str]:
    """Those of the known modules that one of them imports: anywhere in its text, and for type checks alone too."""
    found = set()
    for node in ast.walk(ast.parse(known[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".") if known[name].name == "__init__.py" else name.split(".")[:-1]
            start = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*start, *filter(None, [node.module])])
            inner = {f"{source}.{alias.name}" for alias in node.names}
            # what a package gives away itself needs the package; one of its modules needs that module alone
            found |= inner & set(known) | ({source} if inner - set(known) else set())
    return (found & set(known)) - {name}


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one cycle, the first of them again at its end; nothing where there is none."""
    done: set[str] = set()

    def follow(path: list[str]) -> list[str]:
        for target in sorted(graph[path[-1]] - done):
            if target in path:
                return [*path[path.index(target) :], target]
            if found := follow([*path, target]):
                return found
        done.add(path[-1])
        return []

    return next(filter(None, (follow([name]) for name in sorted(graph) if name not in done)), [])


def test_no_module_imports_itself_in_a_circle():
    known = modules()
    found = cycle({name: imported_modules(name, known) for name in known})
    assert not found, " -> ".join(found)


def test_a_circle_would_be_found():
    """The control for the test above."""
    assert cycle({"a": {"b", "c"}, "b": set(), "c": {"d"}, "d": {"b", "a"}}) == ["a", "c", "d", "a"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert imported_modules("autograder.kernel.types", modules()) == {"autograder.errors"}
    assert "autograder.kernel.tree" in imported_modules("autograder.kernel.handle", modules())
    assert {"dgm.data", "dgm.plot", "dgm.budget"} <= imported_modules("dgm", modules())


def test_where_a_set_lies_is_known_without_anything_else():
    assert {name for name in imports(ROOT / "autograder/sets.py") if name.startswith("autograder")} == {
        "autograder.errors"
    }
    code = "import sys, autograder.sets; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("path", sorted((ROOT / "dgm").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_dgm_depends_on_nothing_of_ours(path):
    assert not [name for name in imports(path) if name.split(".")[0] == "autograder"]


def test_import_dgm_is_light():
    code = (
        "import sys, torch, numpy, matplotlib; before = set(sys.modules); import dgm, dgm.grader;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    new = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    heavy = {"sklearn", "scipy", "IPython", "ipykernel", "jupyter_client", "nbformat", "nbgrader", "otter", "pandas"}
    assert not new & heavy


def test_make_help_lists_the_promised_targets():
    text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  make (\S+)", text, re.M))
    wanted = {"setup", "demo", "test", "build", "prove", "release", "grade", "lint", "bench", "clean", "help"}
    assert listed >= wanted
