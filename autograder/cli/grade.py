"""``autograder grade ps1 PATH… --out DIR``: scores submissions."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course import Course
from autograder.errors import UserError
from autograder.results.complete import known_batch, remember, request_digest
from autograder.results.model import INTERNAL, INVALID, Batch, SubmissionResult
from autograder.sets import Outline, all_outlines, find_outline
from autograder.trust import trust_out, trust_outline, trusted_course

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.cluster.coordinator import DaskWorkers
    from autograder.kernel import KernelPool, Limits

INDEX = "html/index.html"
WIDE = 160  # where the table goes to a file or a pipe
LEVELS = ("auto", "namespaces", "landlock", "process")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("problem_set", help="for example ps1, or the path of a problem set's folder")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="notebook, zip, folder or LMS download")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where results and reports go")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="submissions at once")
    parser.add_argument("--seed", type=int, metavar="S", help="secret seed (default: drawn once, kept in DIR/run.json)")
    parser.add_argument("--regrade", action="append", default=[], metavar="ID", help="grade this question again")
    parser.add_argument(
        "--cluster", metavar="WHERE", help="grade on Dask workers: a scheduler's address, or local, or local:N"
    )
    parser.add_argument(
        "--plain-tcp", action="store_true", help="go on with a scheduler of another machine without TLS"
    )
    parser.add_argument("--gpu-slots", type=int, default=2, metavar="N", help="submissions at once on one GPU")
    parser.add_argument("--json", action="store_true", help="print the results as JSON to standard output")
    parser.add_argument("--no-html", action="store_true", help="write no HTML pages")
    add_sandbox_arguments(parser)


def add_sandbox_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that ``grade`` and ``check`` share."""
    parser.add_argument(
        "--course", type=Path, metavar="DIR", help="the course's folder, trusted wherever it lies (default: found)"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the answers run")
    parser.add_argument("--sandbox", choices=LEVELS, help="weakest isolation accepted (default: course.toml)")
    parser.add_argument("--allow-weaker", action="store_true", help="go on with weaker isolation than asked for")


def run(options: argparse.Namespace) -> int:
    if options.jobs < 1:
        raise UserError("--jobs must be at least 1.")
    if options.seed is not None and options.seed < 0:
        raise UserError("--seed must not be negative.")
    if options.gpu_slots < 1:
        raise UserError("--gpu-slots must be at least 1.")
    course = trusted_course(options.course, options.paths)
    root, bounds = course.root, limits(course)
    outline = trust_outline(find_outline(options.problem_set, root), course, options.course, options.paths)
    trust_out(options.out, options.paths)
    key = _request_digest(options, root, outline)
    batch = known_batch(options.out, key) if key else None
    if batch is None:
        with _kernels_ahead(options, course, bounds, outline) as make_pool:
            batch = _grade(options, course, bounds, outline, make_pool)
        if not options.no_html:
            from autograder.reporting.html import write_pages

            write_pages(options.out, course.title)
        if key:
            remember(batch, options.out, key)
    return _show(options, batch)


def _request_digest(options: argparse.Namespace, root: Path, outline: Outline) -> str:
    """What decides about the results, as a digest; empty where that cannot be told in a moment."""
    if options.cluster or options.regrade or _device_without_torch(options.device) != "cpu":
        return ""
    if outline not in all_outlines(root):  # it lies outside of the course, and nobody would notice a change
        return ""
    names = ("problem_set", "seed", "sandbox", "allow_weaker", "no_html")
    return request_digest({name: getattr(options, name) for name in names}, root, options.paths, options.out)


def _kernels_ahead(
    options: argparse.Namespace, course: Course, bounds: Limits, outline: Outline
) -> AbstractContextManager[Callable[..., KernelPool]]:
    """Start to warm kernels up now, unless it is likely that they will not be needed."""
    from autograder.kernel import KernelPool, PoolAhead, modules_for

    if options.cluster or (options.out / "run.json").exists() or _device_without_torch(options.device) != "cpu":
        return nullcontext(KernelPool)
    return PoolAhead(
        device="cpu", limits=bounds, sandbox=options.sandbox or course.sandbox, allow_weaker=options.allow_weaker,
        modules=modules_for(outline.folder.cells_text()),
    )


def _grade(
    options: argparse.Namespace, course: Course, bounds: Limits, outline: Outline, make_pool: Callable[..., KernelPool]
) -> Batch:
    from rich.console import Console

    from autograder.probes.load import load_problem_set
    from autograder.submissions.collect import collect
    from autograder.submissions.matching import matcher_for

    console = Console(stderr=True)
    problem_set = load_problem_set(outline)
    for id in options.regrade:
        problem_set.question(id)
    matcher = matcher_for(problem_set, course.root)
    submissions = collect(options.paths, matcher, ignore=options.out, tell=partial(say, console))

    from autograder.grading.batch import Options, grade_batch
    from autograder.grading.gpu import GpuShare
    from autograder.reporting.progress import progress

    with _workers(options, console) as workers:
        how = Options(
            jobs=options.jobs, seed=options.seed, device=workers.device if workers else device(options.device),
            sandbox=options.sandbox or course.sandbox, allow_weaker=options.allow_weaker, limits=bounds,
            regrade=frozenset(options.regrade), gpu_share=GpuShare(options.gpu_slots),
        )
        one_thread()
        with progress(console, len(submissions)) as advance:
            return grade_batch(problem_set, submissions, options.out, how, advance, make_pool, workers)


def _show(options: argparse.Namespace, batch: Batch) -> int:
    """Messages, the table, and the exit code."""
    from rich.console import Console

    console = Console(stderr=True)
    if batch.kept:
        shown = ", ".join(batch.kept[:5]) + (", …" if len(batch.kept) > 5 else "")
        say(console, f"Results of an earlier run that are not in this one are kept in {options.out}: {shown}.")
    _say_what_failed(console, batch.results, options.out)
    if options.json:
        json.dump([result.to_json() for result in batch.results], sys.stdout, ensure_ascii=False)
        print()
    else:
        from autograder.reporting.table import results_table

        sys.stderr.flush()
        table_console = Console(width=None if sys.stdout.isatty() else WIDE)
        table_console.print(results_table(batch.results, table_console.width))
    say(console, f"Sandbox: {batch.sandbox}. Reused from before: {batch.reused} of {len(batch.results)}.")
    say(console, f"Results: {options.out / 'summary.csv'}" if options.no_html else f"Report: {options.out / INDEX}")
    return 3 if batch.results and all(result.status == INTERNAL for result in batch.results) else 0


def _workers(options: argparse.Namespace, console: Console) -> AbstractContextManager[DaskWorkers | None]:
    """The workers that were asked for; None to grade in this process."""
    if not options.cluster:
        return nullcontext()
    from autograder.cluster import connect

    say(console, f"Waiting for workers ({options.cluster}) …")
    return connect(
        options.cluster, jobs=options.jobs, device=options.device, gpu_slots=options.gpu_slots,
        plain_tcp=options.plain_tcp,
    )


def one_thread() -> None:
    """Reference and students compute alike, and several submissions at once do not fight for the cores."""
    import torch

    torch.set_num_threads(1)


def say(console: Console, text: str) -> None:
    """Plain text, not markup, on one line whatever the width."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _say_what_failed(console: Console, results: list[SubmissionResult], out: Path) -> None:
    internal = [result.student for result in results if result.status == INTERNAL]
    invalid = [result.student for result in results if result.status == INVALID]
    if internal:
        say(console, f"The grader itself failed on {', '.join(internal)}: see {out / 'log'}, then run this again.")
    if invalid:
        say(console, f"Without a notebook that can be graded: {', '.join(invalid)}.")


def device(wanted: str) -> str:
    """The device to use. Raises `UserError` when CUDA is asked for and not there."""
    known = _device_without_torch(wanted)
    if known is not None:
        return known
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise UserError("There is no CUDA device here; use --device cpu.", 3)
    return "cpu"


def _device_without_torch(wanted: str) -> str | None:
    """The device where that is clear before torch is imported: on Linux a GPU has device files."""
    files = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
    nothing_there = sys.platform == "linux" and not any(map(os.path.exists, files))
    return "cpu" if wanted == "cpu" or (wanted == "auto" and nothing_there) else None


def limits(course: Course) -> Limits:
    """The limits of course.toml. Raises `UserError` for one that does not exist or is no number."""
    from autograder.kernel import Limits

    for name, value in course.limits.items():
        if name not in Limits.__dataclass_fields__:
            known = ", ".join(Limits.__dataclass_fields__)
            raise UserError(f"course.toml: there is no limit {name!r}; known: {known}.")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
            raise UserError(f"course.toml: the limit {name} must be a number above 0.")
    return Limits(**course.limits)  # type: ignore[arg-type]
