"""What runs on GitHub and before a commit is what `make lint` and `.ci/run` run, and the files keep to it."""

import re
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
REPOSITORIES = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
HOOKS = {hook["id"]: hook for repository in REPOSITORIES for hook in repository["hooks"]}


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no checkout: {done.stderr.strip()}")
    return done.stdout


def recipe(target: str) -> list[str]:
    """The commands that make would run for a target, its set-up among them."""
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_workflow_runs_what_continuous_integration_runs():
    job = WORKFLOW["jobs"]["test"]
    assert ".ci/run" in [step.get("run") for step in job["steps"]]
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if line.startswith("make ")] == ["make lint", "make test"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_workflow_covers_the_oldest_python_and_may_only_read():
    versions = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python-version"]
    assert f">={versions[0]}" == PROJECT["requires-python"] and all(isinstance(version, str) for version in versions)
    assert WORKFLOW["permissions"] == {"contents": "read"} and WORKFLOW["concurrency"]["cancel-in-progress"] is True


def test_tests_of_a_file_share_a_worker(pytestconfig):
    """What they make once, they make once. The scheduler of ``conftest.py`` stands on a method of pytest-xdist's."""
    (make,) = pytestconfig.hook.pytest_xdist_make_scheduler.get_hookimpls()
    option = SimpleNamespace(tx=["popen", "popen"], maxschedchunk=None, loadscopereorder=True)
    config = SimpleNamespace(getvalue=lambda name: option.tx, option=option)
    scheduler = make.function(config, None)
    assert "_split_scope" in vars(type(scheduler).__mro__[1])
    names = ["dgm/test_a.py", "dgm/test_b.py", "kernel/test_a.py", "kernel/test_b.py", "sets/test_proofs.py"]
    units = [scheduler._split_scope(f"tests/{name}::test_{i}[x::y]") for name in names for i in range(2)]
    assert [units.index(unit) for unit in units] == [0, 0, 2, 2, 4, 4, 4, 4, 8, 9]
    assert any("-m pytest -n " in line for line in recipe("test"))


def test_hooks_download_nothing_and_lint_as_make_does():
    assert {repository["repo"] for repository in REPOSITORIES} == {"local"}
    assert {hook["language"] for hook in HOOKS.values()} == {"system", "pygrep"}
    commands = {hook["entry"] for hook in HOOKS.values() if hook["language"] == "system"}
    lint = [line for line in recipe("lint") if line.startswith(".venv/bin/") and "pip" not in line]
    assert commands == set(lint) and len(commands) == 2


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if HOOKS[hook]["language"] == "pygrep"])
def test_all_files_pass_the_hooks_about_blanks(hook):
    flags = re.MULTILINE | re.DOTALL if "--multiline" in HOOKS[hook].get("args", ()) else 0
    pattern = re.compile(HOOKS[hook]["entry"], flags)
    assert pattern.search("x = 1" if flags else "x = 1 ") and not pattern.search("x = 1\n")
    for name in git("ls-files", "-z").split("\0")[:-1]:
        path = ROOT / name
        if path.suffix in (".zip", ".png", ".jpg", ".npz") or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        # as pre-commit: a pattern without --multiline is looked for in each line
        assert not any(map(pattern.search, [text] if flags else text.split("\n"))), name


def test_only_what_is_built_is_marked_as_generated():
    names = [*sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("ps*_*/*.ipynb")), "docs/ps1.md", "docs/gpu.md"]
    said = git("check-attr", "linguist-generated", "diff", "--", *names).splitlines()
    notebooks = [line for line in said if ".ipynb: " in line]
    assert notebooks and all(line.endswith((": set", "diff: unset")) for line in notebooks)
    assert [line for line in said if ".md: " in line] == [
        "docs/ps1.md: linguist-generated: set", "docs/ps1.md: diff: unspecified",
        "docs/gpu.md: linguist-generated: unspecified", "docs/gpu.md: diff: unspecified",
    ]  # fmt: skip


def test_the_changelog_speaks_of_this_version():
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in text and PROJECT["version"] in text
