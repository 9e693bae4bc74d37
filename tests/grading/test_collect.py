"""From paths to submissions: layouts, names, and everything that can be wrong with them."""

import io
import os
import re
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from grading_helpers import BLANK, RIGHT, notebook

from autograder.errors import UserError
from autograder.submissions import by_student
from autograder.submissions import collect as collecting
from autograder.submissions.collect import collect
from autograder.submissions.students import Name, Naming, distinct, from_lms, gradescope_names, safe_id

GOOD = notebook(*RIGHT)
OTHER = notebook("x = 1")


def make_zip(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def lay_out(root: Path, files: dict[str, bytes], packed: bool) -> Path:
    """The files below a folder, or in a zip, called ``class``."""
    if packed:
        path = root / "class.zip"
        path.write_bytes(make_zip(files))
        return path
    for name, data in files.items():
        path = root / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root / "class"


LAYOUTS = {
    "notebooks": ({"ada.ipynb": GOOD, "bob_ps9.ipynb": GOOD}, ["ada", "bob"]),
    "student folders": ({"ada/ps9.ipynb": GOOD, "bob/work/x.ipynb": GOOD}, ["ada", "bob"]),
    "wrapped folders": ({"all/ada/ps9.ipynb": GOOD, "all/bob/ps9.ipynb": GOOD}, ["ada", "bob"]),
    "canvas": (
        {
            "lovelaceada_123_456_ps9.ipynb": GOOD, "turingalan_LATE_124_457_ps9-2.ipynb": GOOD,
            "de_la_cruzeva_125_458_My homework.ipynb": GOOD,
        },
        ["de_la_cruzeva", "lovelaceada", "turingalan"],
    ),
    "moodle": (
        {
            "Ada Lovelace_123_assignsubmission_file_/ps9.ipynb": GOOD,
            "Bob O'Hara_124_assignsubmission_file_/x.ipynb": GOOD,
        },
        ["Ada_Lovelace", "Bob_O_Hara"],
    ),
    "moodle, flat": (
        {"Ada L_1_assignsubmission_file_ps9.ipynb": GOOD, "Bob_2_assignsubmission_file_x.ipynb": GOOD},
        ["Ada_L", "Bob"],
    ),
    "gradescope": (
        {
            "assignment_7_export/submission_metadata.yml": (
                b"submission_11:\n  :submitters:\n  - :name: Ada L\n    :sid: ''\n    :email: ada@x.edu\n"
                b"submission_12:\n  :submitters:\n  - :name: Bob\n"
            ),
            "assignment_7_export/submission_11/ps9.ipynb": GOOD, "assignment_7_export/submission_12/ps9.ipynb": GOOD,
            "assignment_7_export/submission_13/ps9.ipynb": GOOD,
        },
        ["ada@x.edu", "Bob", "submission_13"],
    ),
    "nbgrader": (
        {
            "submitted/ada/ps9/ps9.ipynb": GOOD, "submitted/ada/ps9/timestamp.txt": b"now",
            "submitted/ada/ps8/ps8.ipynb": OTHER, "submitted/bob/ps9/ps9.ipynb": GOOD,
            "release/ps9/ps9.ipynb": notebook(*BLANK),
        },
        ["ada", "bob"],
    ),
    "student zips": (
        {"ada_1111_2222_work.zip": make_zip({"hw/ps9.ipynb": GOOD}), "bob.zip": make_zip({"ps9.ipynb": GOOD})},
        ["ada", "bob"],
    ),
    "junk": (
        {
            "ada.ipynb": GOOD, "__MACOSX/._ada.ipynb": b"x", ".ipynb_checkpoints/ada-checkpoint.ipynb": GOOD,
            "readme.txt": b"", ".DS_Store": b"",
        },
        ["ada"],
    ),
    "one notebook without a name": ({"ps9.ipynb": GOOD}, ["class"]),
    "one student's folder": ({"ps9.ipynb": GOOD, "notes.txt": b""}, ["class"]),
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout, packed, tmp_path, matcher):
    files, students = LAYOUTS[layout]
    found = collect([lay_out(tmp_path, files, packed)], matcher)
    assert [item.student for item in found] == students
    assert all(item.notebook and not item.problem for item in found)
    assert all(item.notebook_bytes == GOOD for item in found)


def test_single_notebooks_are_named_by_file_or_folder(tmp_path, matcher, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("ada.ipynb", "bob/ps9.ipynb", "bob/ps9/ps9 (1).ipynb", "cleo/ps9_demo/Untitled1.ipynb"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(GOOD)
    for path, student in {"ada.ipynb": "ada", "bob/ps9.ipynb": "bob", "bob/ps9/ps9 (1).ipynb": "bob"}.items():
        assert collect([path], matcher)[0].student == student
    assert collect(["cleo/ps9_demo"], matcher)[0].student == "cleo"
    assert collect(["bob"], matcher)[0].student == "bob"


def test_the_notebook_with_the_answers_is_chosen(tmp_path, matcher):
    files = {
        "ada/scratch.ipynb": OTHER, "ada/final.ipynb": GOOD, "ada/a_draft.ipynb": notebook(*RIGHT[:2]),
        "bob/one.ipynb": OTHER, "cleo/hw.zip": make_zip({"z.ipynb": OTHER, "y.ipynb": GOOD}),
    }  # fmt: skip
    ada, bob, cleo = collect([lay_out(tmp_path, files, False)], matcher)
    assert ada.notebook_bytes == GOOD and cleo.notebook_bytes == GOOD
    assert ada.notes == ("The submission holds 2 such notebooks; final.ipynb was graded.",)
    assert bob.problem == "The notebook defines none of the answers of ps9."


def test_same_names_are_told_apart(tmp_path, matcher):
    files = {"ada_11_22_ps9.ipynb": GOOD, "ada_12_23_ps9.ipynb": GOOD, "Bob.ipynb": GOOD, "bob/ps9.ipynb": GOOD}
    found = collect([lay_out(tmp_path, files, False)], matcher)
    assert [item.student for item in found] == ["ada-11", "ada-12", "bob", "Bob-cd9fb1"]
    assert "Several submissions are named ada" in found[0].notes[0]


def test_bad_submissions_are_rows(tmp_path, matcher):
    files = {
        "ada/ps9.ipynb": GOOD, "broken/ps9.ipynb": b"{", "empty.ipynb": b"", "pdf/ps9.pdf": b"%PDF",
        "evil.zip": make_zip({"../x.ipynb": GOOD}), "deep.zip": make_zip({"a.zip": make_zip({"x.ipynb": GOOD})}),
        "torn.zip": make_zip({"ps9.ipynb": GOOD})[:-30], "none.zip": make_zip({"a.txt": b"x"}),
        "smith_11_22_ps9.pdf": b"%PDF", "r.ipynb": notebook("x", language="R"),
    }  # fmt: skip
    root = lay_out(tmp_path, files, False)
    (root / "nothing").mkdir()
    found = {item.student: item.problem for item in collect([root], matcher)}
    assert found.pop("ada") == ""
    for student, reason in {
        "broken": "not valid JSON", "empty": "empty", "pdf": "no notebook .*ps9.pdf", "evil": "'..'",
        "deep": "only another zip", "torn": "damaged", "none": "holds no notebook", "smith": "no notebook",
        "r": "language is R", "nothing": "submission is empty",
    }.items():  # fmt: skip
        assert re.search(reason, found.pop(student)), student
    assert not found


def encrypted(data: bytes) -> bytes:
    """The same archive with the flag of encryption set, in both headers."""
    data = bytearray(data)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + offset] |= 1
    return bytes(data)


def with_link() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("ada.ipynb")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return stream.getvalue()


def lying(data: bytes) -> bytes:
    """The same archive, but claiming that its content is small."""
    data = bytearray(data)
    start = data.index(b"PK\x01\x02")
    data[start + 24 : start + 28] = (100).to_bytes(4, "little")
    return bytes(data)


BOMB = notebook("#" + "a" * 3_000_000)
BAD_PATHS = {
    "parent.zip": (make_zip({"a/../../x.ipynb": GOOD}), r"'\.\.'"),
    "absolute.zip": (make_zip({"/etc/x.ipynb": GOOD}), "absolute"),
    "drive.zip": (make_zip({"C:/x.ipynb": GOOD}), "absolute"),
    "link.zip": (with_link(), "symbolic link"),
    "encrypted.zip": (encrypted(make_zip({"ada.ipynb": GOOD})), "encrypted"),
    "bomb.zip": (make_zip({"ada.ipynb": BOMB}), "suspiciously well"),
    "lying.zip": (lying(make_zip({"ada.ipynb": BOMB})), "damaged"),
    "damaged.zip": (b"PK\x03\x04 nonsense", "damaged"),
    "nozip.zip": (b"hello", "damaged or not a zip"),
    "empty.zip": (make_zip({}), "empty"),
    "text.zip": (make_zip({"a.txt": b"x"}), "holds no notebook"),
    "work.pdf": (b"%PDF", "not a notebook, a zip file or a folder"),
    "torn.ipynb": (b'{"cells": [', "not valid JSON"),
    "other.ipynb": (OTHER, "none of the answers"),
}


@pytest.mark.parametrize("name", BAD_PATHS)
def test_bad_paths_are_one_sentence(name, tmp_path, matcher):
    data, reason = BAD_PATHS[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=reason) as error:
        collect([tmp_path / name], matcher)
    assert error.value.code == 2
    assert str(error.value).count("\n") == 0
    assert [path.name for path in tmp_path.iterdir() if path.name != "course"] == [name]  # nothing was extracted


def test_missing_empty_and_special_paths(tmp_path, matcher):
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.ipynb")
    for name, reason in {"nowhere": "does not exist", "empty": "is empty", "pipe.ipynb": "neither a file"}.items():
        with pytest.raises(UserError, match=reason):
            collect([tmp_path / name], matcher)


def test_one_of_several_bad_paths_is_a_row(tmp_path, matcher):
    (tmp_path / "ada.ipynb").write_bytes(GOOD)
    (tmp_path / "eve.zip").write_bytes(make_zip({"../eve.ipynb": GOOD}))
    (tmp_path / "torn.zip").write_bytes(b"PK")
    found = collect([tmp_path / "ada.ipynb", tmp_path / "eve.zip", tmp_path / "torn.zip"], matcher)
    assert [(item.student, bool(item.problem)) for item in found] == [("ada", False), ("eve", True), ("torn", True)]
    with pytest.raises(UserError, match="does not exist"):
        collect([tmp_path / "ada.ipynb", tmp_path / "typo.ipynb"], matcher)


def test_results_and_figures_are_no_students(tmp_path, matcher):
    files = {"ada.ipynb": GOOD, "figures/a.png": b"", "out/results/ada.json": b"{}"}
    files["Bob_1_assignsubmission_file_/x.pdf"] = b""
    root = lay_out(tmp_path, files, False)
    assert [item.student for item in collect([root], matcher, ignore=root / "out")] == ["ada", "Bob"]
    files = {"ada/ps9.ipynb": GOOD, "bob/x.png": b""}
    found = collect([lay_out(tmp_path / "other", files, False)], matcher)
    assert [(item.student, bool(item.problem)) for item in found] == [("ada", False), ("bob", True)]


def test_links_and_pipes_in_a_folder_are_rows(tmp_path, matcher):
    root = lay_out(tmp_path, {"ada.ipynb": GOOD}, False)
    (tmp_path / "secret.ipynb").write_bytes(GOOD)
    (root / "eve.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (root / "fay.ipynb").symlink_to(root / "ada.ipynb")
    (root / "dir.ipynb").mkdir()
    os.mkfifo(root / "gus.ipynb")
    found = {item.student: item for item in collect([root], matcher)}
    for student in ("eve", "fay"):  # inside the class, too: it may be another student's work
        assert "symbolic link" in found[student].problem
    assert "not a regular file" in found["gus"].problem


def test_hostile_names_become_safe_ids():
    assert safe_id("../../etc/passwd") == "etc_passwd"
    assert safe_id("<script>alert(1)</script>") == "script_alert_1_script"
    assert safe_id("\x1b[31mé\u202e") == "é"
    assert safe_id("...") == "student"
    assert len(safe_id("ü" * 300).encode()) <= 80
    assert "/" not in safe_id("a/b\\c\0d")


def test_naming():
    naming = Naming("ps1", frozenset({"ps1_simple_models"}))
    for stem in ("ps1", "PS1 (2)", "ps1_simple_models", "ps1-copy", "ps1_solution", "Untitled1", "notebook", "hw3"):
        assert naming.is_generic(stem), stem
    for stem, student in {"ps1_ada": "ada", "ada-ps1": "ada", "student12": "student12", "alps1": "alps1"}.items():
        assert naming.from_name(stem) == Name(student)


@pytest.mark.parametrize("others", [[], ["Ada"], ["Ada", "ADA", "bob"]])
def test_nobody_takes_anothers_id_by_coming_or_going(others):
    """Whoever is in small letters keeps the id; the others' follow from their spelling, and it is said to each."""
    ids = dict(zip(["ada", *others], distinct([Name(name) for name in ["ada", *others]]), strict=True))
    again = dict(zip([*others, "ada"], distinct([Name(name) for name in [*others, "ada"]]), strict=True))
    assert ids == again and ids["ada"][0] == "ada"
    if others:
        assert ids["Ada"][0] == distinct([Name("ada"), Name("Ada")])[1][0] != "Ada"
        assert "Several submissions are named" in ids["ada"][1] and "Several" in ids["Ada"][1]


def test_distinct_ids_do_not_collide():
    names = [Name("a"), Name("a"), Name("a-2"), Name("A", "7"), Name("a", "7")]
    ids = [student for student, _ in distinct(names)]
    assert len({id.lower() for id in ids}) == len(ids)


def test_gradescope_metadata():
    assert gradescope_names("submission_1:\n  :submitters:\n  - :name: A B\n    :sid: '77'\n") == {"submission_1": "77"}
    assert gradescope_names("nonsense") == {}
    tagged = "submission_1: !ruby/object:X\n  :submitters:\n  - :name: A\n    :sid: null\n  - :sid: '8'\n"
    assert gradescope_names(tagged) == {"submission_1": "A"}  # a partner's number is not hers


@pytest.mark.parametrize(
    "name",
    ['"Eve\n    :sid: ada"', "'Eve\n\n    :sid: ada'", '"Eve\\\n    :sid: ada"', "|-\n      Eve\n      :sid: ada"],
)
def test_a_display_name_that_looks_like_the_next_line_takes_no_id(name):
    metadata = f"submission_1:\n  :submitters:\n  - :name: {name}\n    :sid: ''\n    :email: eve@x.edu\n"
    assert gradescope_names(metadata) == {"submission_1": "eve@x.edu"}


@pytest.mark.parametrize("metadata", [b"submission_11: [", b"[" * 100_000, b"a: \x07", b"a: " + b"[" * 99 + b"]" * 99])
def test_metadata_that_cannot_be_read_is_said(metadata, tmp_path, matcher):
    said = []
    files = {"submission_metadata.yml": metadata, "submission_11/ps9.ipynb": GOOD, "submission_12/ps9.ipynb": GOOD}
    found = collect([lay_out(tmp_path, files, False)], matcher, tell=said.append)
    assert [item.student for item in found] == ["submission_11", "submission_12"]
    assert any("submission_metadata.yml cannot be read" in text for text in said)


def test_links_to_other_students_work_are_not_followed_in_folders(tmp_path, matcher):
    root = lay_out(tmp_path, {"ada/ps9.ipynb": GOOD, "eve/notes.txt": b""}, False)
    (root / "eve" / "ps9.ipynb").symlink_to(root / "ada" / "ps9.ipynb")
    (root / "eve" / "more").symlink_to(root / "ada")
    found = {item.student: item for item in collect([root], matcher)}
    assert found["ada"].notebook
    assert found["eve"].notebook is None and "symbolic link" in found["eve"].problem


SPOILED = {
    "a link": ("e/x.ipynb", 0o120777), "a path upwards": ("e/../../x.ipynb", 0), "an absolute path": ("/e/x.ipynb", 0),
    "a long name": ("e/" + "-" * 9000 + ".ipynb", 0), "the same name": ("e/ps9.ipynb", 0),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILED)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_entry_does_not_spoil_the_zip_of_a_class(kind, tmp_path, matcher):
    name, mode = SPOILED[kind]
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for student in ("ada", "bob", "e"):
            archive.writestr(f"{student}/ps9.ipynb", GOOD)
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, GOOD)
    started = time.process_time()
    found = {item.student: item for item in collect([tmp_path / "class.zip"], matcher)}
    assert found["ada"].notebook and found["bob"].notebook
    assert time.process_time() - started < 2


def test_one_student_cannot_make_a_class_too_large(tmp_path, matcher, monkeypatch):
    """Neither by the number of files nor by their size."""
    monkeypatch.setattr(by_student, "MAX_FILES", 60)
    monkeypatch.setattr(collecting, "MAX_READ", 300_000)
    noise = os.urandom(100_000)
    packed = make_zip({"a.bin": noise, "ps9.ipynb": GOOD}, zipfile.ZIP_STORED)
    files = {"ada/ps9.ipynb": GOOD, "zoe/ps9.ipynb": GOOD}
    files |= {f"eve/{i}.txt": b"" for i in range(200)} | {f"eve/{i}.zip": packed for i in range(20)}
    found = {item.student: item for item in collect([lay_out(tmp_path, files, False)], matcher)}
    assert found["ada"].notebook and found["zoe"].notebook
    assert found["eve"].notebook and "holds 2 such" in found["eve"].notes[0]  # the rest is not read
    assert found["eve"].notebook_bytes == GOOD


def test_many_large_notebooks_of_one_student_are_not_kept(tmp_path, matcher):
    wide = notebook(*RIGHT, "#" + "\U0001f600" * 900_000)
    root = lay_out(tmp_path, {f"eve/n{i}.ipynb": wide for i in range(12)} | {"ada/ps9.ipynb": GOOD}, False)
    tracemalloc.start()
    found = collect([root], matcher)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(item.notebook for item in found)
    assert kept < 12 * 2**20 and peak < 80 * 2**20  # 4 MB and some copies of it; not twelve times


def test_a_name_that_tells_nothing_does_not_merge_a_class(tmp_path, matcher):
    files = {f"all/student{i:02}.ipynb": GOOD for i in range(20)} | {"all/ps9.ipynb": GOOD}
    found = [item.student for item in collect([lay_out(tmp_path, files, False)], matcher)]
    assert len(found) == 21 and found[:2] == ["all", "student00"]
    one = {"all/ps9.ipynb": GOOD, "all/draft.ipynb": OTHER, "all/old.ipynb": OTHER}
    assert [item.student for item in collect([lay_out(tmp_path / "one", one, False)], matcher)] == ["all"]


def test_long_names_take_no_time():
    naming = Naming("ps1")
    started = time.process_time()
    for part in ("-", "_1", " ", "_11_11_x\n"):
        stem = "x" + part * 30_000 + "x"
        naming.is_generic(stem), naming.from_name(stem)
    gradescope_names("submission_1:\n  :name: x" + " " * 60_000 + "y\n")
    assert time.process_time() - started < 1
    assert len(from_lms(f"a_{'9' * 200}_assignsubmission_").number) == 40  # it becomes part of a file's name


def test_ids_that_a_file_system_takes_for_one_are_told_apart():
    ids = [student for student, _ in distinct([Name("Stra\u00dfe"), Name("STRASSE"), Name("e\u0301"), Name("\u00e9")])]
    assert [id.split("-")[0] for id in ids] == ["Stra\u00dfe", "STRASSE", "e\u0301", "\u00e9"]
    assert ids[3] == "\u00e9" and len({id.casefold() for id in ids}) == 4
