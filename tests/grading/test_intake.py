"""No submission can break, empty or slow down the intake of a class, and what is left out is said."""

import io
import tracemalloc
import zipfile

import pytest
from grading_helpers import BLANK, RIGHT, notebook
from test_collect import lay_out, make_zip

from autograder.errors import UserError
from autograder.submissions import by_student
from autograder.submissions import collect as collecting
from autograder.submissions.archive import Archive, ArchiveProblem
from autograder.submissions.collect import collect
from autograder.submissions.notebook import NotebookProblem, read_notebook

GOOD = notebook(*RIGHT)


def renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    """The archive with another name of the same length in both headers."""
    assert len(old) == len(new) and data.count(old) == 2
    return data.replace(old, new)


def nameless(files: dict[str, bytes]) -> bytes:
    """An archive whose last file has no name at all."""
    stream = io.BytesIO(make_zip(files))
    with zipfile.ZipFile(stream, "a") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = ""
        with archive.open(info, "w") as file:
            file.write(b"x")
    return stream.getvalue()


ODD_NAMES = {
    "no name": nameless({"eve/ps9.ipynb": GOOD}),
    "NUL": renamed(make_zip({"eve/ps9.ipynb": GOOD, "Qx": b"x"}), b"Qx", b"\0x"),
    "NUL in a folder": renamed(make_zip({"eve/ps9.ipynb": GOOD, "eve/Qx": b"x"}), b"eve/Qx", b"eve/\0x"),
}


@pytest.mark.parametrize("kind", ODD_NAMES)
@pytest.mark.parametrize("place", ["as the class", "in a class zip", "in a folder"])
def test_an_impossible_name_in_a_zip_stops_nobody(kind, place, tmp_path, matcher):
    if place == "as the class":
        (tmp_path / "class.zip").write_bytes(ODD_NAMES[kind])
        root = tmp_path / "class.zip"
        assert [item.student for item in collect([root], matcher) if item.notebook]
        return
    root = lay_out(tmp_path, {"ada.ipynb": GOOD, "eve.zip": ODD_NAMES[kind]}, place == "in a class zip")
    found = {item.student: item for item in collect([root], matcher)}
    assert found["ada"].notebook and found["eve"].notebook


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("beside", ["ada/ps9.ipynb", "ada.ipynb", "ada_11_22_ps9.ipynb"])
def test_a_student_called_submitted_hides_nobody(packed, beside, tmp_path, matcher):
    files = {beside: GOOD, "submitted/ps9.ipynb": GOOD, "submitted/bob/ps9.ipynb": GOOD}
    found = [item.student for item in collect([lay_out(tmp_path, files, packed)], matcher)]
    assert "ada" in found and "submitted" in found


def test_what_is_left_out_is_said(tmp_path, matcher):
    said: list[str] = []
    files = {
        "submitted/ada/ps9/ps9.ipynb": GOOD, "submitted/notes.txt": b"",
        "release/ps9/ps9.ipynb": notebook(*BLANK), "gradebook.db": b"",
    }  # fmt: skip
    root = lay_out(tmp_path, files | {f"submitted/.hidden{i}.ipynb": GOOD for i in range(9)}, False)
    (root / "link").symlink_to(root / "submitted")
    found = collect([root], matcher, tell=said.append)
    assert [item.student for item in found] == ["ada"]
    text = " ".join(said)
    for name in ("release", "gradebook.db", "notes.txt", ".hidden0.ipynb", "and "):
        assert name in text
    assert all(len(line) < 400 and "\n" not in line for line in said)


def test_what_is_left_out_of_a_student_is_in_the_notes(tmp_path, matcher, monkeypatch):
    monkeypatch.setattr(collecting, "MAX_NOTEBOOKS", 3)
    monkeypatch.setattr(collecting, "MAX_ZIPS", 1)
    files = {f"eve/{i}.ipynb": GOOD for i in range(5)} | {"ada/ps9.ipynb": GOOD}
    files |= {f"zoe/{i}.zip": make_zip({"ps9.ipynb": GOOD}) for i in range(3)}
    found = {item.student: " ".join(item.notes) for item in collect([lay_out(tmp_path, files, False)], matcher)}
    assert "3 of its 5 notebooks" in found["eve"] and "1 of its 3 zip files" in found["zoe"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("wrapper", ["", "export_7/"])
def test_one_students_many_files_do_not_refuse_the_class(packed, wrapper, tmp_path, matcher, monkeypatch):
    monkeypatch.setattr(by_student, "MAX_FILES", 50)
    files = {f"{wrapper}{name}/ps9.ipynb": GOOD for name in ("ada", "eve", "zoe")}
    files |= {f"{wrapper}eve/{i // 9}/{i}.ipynb": b"" for i in range(200)}
    found = {item.student: item for item in collect([lay_out(tmp_path, files, packed)], matcher)}
    assert found["ada"].notebook and found["zoe"].notebook and found["eve"].notebook
    assert "more than 50 files" in " ".join(found["eve"].notes)


def test_a_class_zip_of_very_many_files_is_read(tmp_path, matcher):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for name in ("ada", "eve"):
            archive.writestr(f"{name}/ps9.ipynb", GOOD)
        for i in range(200_001):
            archive.writestr(zipfile.ZipInfo(f"eve/{i}"), b"")
    found = {item.student: item for item in collect([tmp_path / "class.zip"], matcher)}
    assert found["ada"].notebook and found["eve"].notebook


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_stored_and_deflated_files_are_read(method):
    """The others are expanded as a whole before anybody can look at their size."""
    archive = Archive(make_zip({"a.ipynb": bytes(2**24)}, method))
    tracemalloc.start()
    with pytest.raises(ArchiveProblem, match=r"ordinary \.zip") as problem:
        archive.read("a.ipynb")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20 and str(problem.value).endswith(".")


NESTED = b"[" + b"[],[" * 2_600_000 + b"]" * 2_600_001
CROWDED = {
    "lists": NESTED, "objects": b"[" + b",".join([b"{}"] * 2_100_000) + b"]",
    "numbers": b"[" + b"0," * 6_000_000 + b"0]", "pairs": b"{" + b",".join([b'"":0'] * 5_100_000) + b"}",
}  # fmt: skip


@pytest.mark.parametrize("kind", CROWDED)
def test_notebooks_of_very_many_values_are_refused_before_they_are_parsed(kind, monkeypatch):
    data = notebook("x = 1", extra="HERE").replace(b'"HERE"', CROWDED[kind])
    monkeypatch.setattr("json.loads", lambda text: pytest.fail("parsed"))
    with pytest.raises(NotebookProblem, match="clear its outputs"):
        read_notebook(data)


def test_brackets_and_commas_in_printed_text_do_not_count():
    printed = [{"output_type": "stream", "name": "stdout", "text": ["[[1, 2], [3, 4]],\n" * 700_000]}]
    cell = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": printed}
    assert read_notebook(notebook(cells=[cell])).cells[0].source == "x = 1"


def test_any_exception_belongs_to_its_student(tmp_path, matcher, monkeypatch):
    def broken(data):
        if b"EVE" in data:
            raise IndexError("list index out of range")
        return read_notebook(data)

    monkeypatch.setattr(collecting, "read_notebook", broken)
    root = lay_out(tmp_path, {"ada.ipynb": GOOD, "eve.ipynb": notebook("# EVE")}, False)
    found = {item.student: item for item in collect([root], matcher)}
    assert found["ada"].notebook and "IndexError" in found["eve"].problem
    with pytest.raises(UserError, match="IndexError"):
        collect([root / "eve.ipynb"], matcher)


def test_any_exception_of_a_path_is_a_row_beside_others(tmp_path, matcher, monkeypatch):
    def broken(*args):
        raise IndexError("string index out of range")

    (tmp_path / "ada.ipynb").write_bytes(GOOD)
    (tmp_path / "eve.zip").write_bytes(make_zip({"ps9.ipynb": GOOD}))
    monkeypatch.setattr(collecting, "Archive", broken)
    ada, eve = collect([tmp_path / "ada.ipynb", tmp_path / "eve.zip"], matcher)
    assert ada.notebook and eve.student == "eve" and "IndexError" in eve.problem
