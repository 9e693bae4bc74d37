"""Pages: nothing runs that a student wrote, and a student's page tells nothing that a student may not know."""

import json
import re
from html.parser import HTMLParser

import pytest

from autograder.errors import UserError
from autograder.reporting import html
from autograder.reporting.html import class_page, student_page, write_pages
from autograder.results.model import ProbeResult, QuestionResult, SubmissionResult
from autograder.results.store import Store

SEED = 987654321987
ATTACK = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover=\"x' {{ 7*7 }} </style><svg onload=x> `<b>`"
)


def result(student="ada", message="", earned=2.0, status="passed", **changes):
    probes = [
        ProbeResult("near", "ordinary inputs", 2, earned, True, status, message, "naive" if message else None),
        ProbeResult("far", "far inputs", 3, 3, False, "passed", "Right, given a correct q1."),
    ]
    question = QuestionResult("q2", "Sums & differences", earned + 3, 5, status, False, True, probes)
    values = {
        "assignment": "ps1", "student": student, "score": earned + 3, "max_score": 5, "seed": SEED, "device": "cpu",
        "sandbox": "namespaces", "seconds": 1.0, "notebook_sha256": "f" * 64, "notes": [], "questions": [question],
    }  # fmt: skip
    return SubmissionResult(**(values | changes))


class Tags(HTMLParser):
    """Collects tags, attributes and visible text; also finds tags that are not closed."""

    VOID = {"meta", "input", "rect", "line", "br"}  # noqa: RUF012

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = [], [], [], ""
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text += data


def pages(attack):
    hostile = result(student=attack, message=attack, earned=0.0, status="failed", notes=[attack])
    hostile.questions[0].title = attack
    broken = result(student="eve", status="failed", questions=[], notes=[])
    broken.status, broken.problem = "invalid", attack
    return class_page([hostile, broken], attack), student_page(hostile, attack), student_page(broken, attack)


@pytest.mark.parametrize("page", [0, 1, 2])
def test_nothing_a_student_wrote_becomes_markup(page):
    plain = Tags(pages("hello `you`")[page])
    hostile = Tags(pages(ATTACK)[page])
    assert set(hostile.tags) == set(plain.tags)
    assert sorted(name for name, _ in hostile.attributes) == sorted(name for name, _ in plain.attributes)
    assert not [name for name, _ in hostile.attributes if name.startswith("on")]
    assert hostile.text.count("<script>alert(1)</script>") >= 2 and "{{ 7*7 }}" in hostile.text


def test_pages_load_and_allow_nothing():
    for page in pages("x"):
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
        assert "default-src" in policy and "unsafe" not in policy and "http" not in policy
        assert not [value for name, value in Tags(page).attributes if name in ("src", "style") or "//" in str(value)]


def test_script_and_style_agree_with_the_policy():
    import base64
    import hashlib

    page = class_page([result()])
    for tag in ("script", "style"):
        text = re.search(f"<{tag}>(.*?)</{tag}>", page, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in page or f"{tag}-src 'sha256-{digest}'" in page


def test_student_page_shows_what_helps():
    wrong = result(message="The `max` is missing.", earned=0.0, status="failed", notes=["Cell 3: NameError"])
    page = student_page(wrong)
    text = Tags(page).text
    for words in ("ada", "3 of 5 points", "Sums & differences", "ordinary inputs".capitalize(), "is missing.",
                  "Right, given a correct q1.", "follow-through credit", "Cell 3: NameError"):  # fmt: skip
        assert words in text, words
    assert "<code>max</code>" in page


def test_student_page_keeps_secrets(tmp_path):
    store = Store(tmp_path)
    secret = result("ada", "wrong", 0.0, "failed")
    secret.status, secret.problem = "graded", ""
    store.save(secret)
    store.save(result("bob"))
    store.save(result("zoe", status="missing", seed=SEED))
    write_pages(tmp_path, "Course")
    page = (tmp_path / "html" / "students" / "ada.html").read_text()
    for hidden in (str(SEED), "bob", "zoe", "namespaces", "f" * 64, "naive", "near", str(tmp_path), "index.html"):
        assert hidden not in page, hidden
    assert str(SEED) not in (tmp_path / "html" / "index.html").read_text()


def test_an_internal_failure_tells_the_student_nothing_of_the_machine():
    failed = result()
    failed.status, failed.problem = "internal", "internal: OSError: /srv/grades/secret is full; grade it again."
    page = student_page(failed)
    assert "could not be graded yet" in page and "/srv" not in page


def test_class_page_figures():
    results = [result(f"s{index}", "Too large.", 0.0, "failed") for index in range(3)] + [result("t")]
    broken = result("u", questions=[], score=0)
    broken.status, broken.problem = "invalid", "The file is empty."
    text = re.sub(r"\s+", " ", Tags(class_page([*results, broken])).text)
    assert "5 submissions" in text and "4 graded" in text and "1 without a gradable notebook" in text
    assert "70 % mean" in text and "60 % median" in text and "60–100 % range" in text
    assert "3 × Too large." in text and "3.5 / 5" in text and "The file is empty." in text
    assert 'href="students/s0.html"' in class_page(results)


def test_weak_sandboxes_and_mixed_seeds_are_pointed_out():
    page = class_page([result("a", sandbox="process"), result("b", seed=1)])
    assert "weaker than namespaces" in page and "2 different seeds" in page


def test_pages_of_an_empty_run_and_of_odd_names(tmp_path):
    store = Store(tmp_path)
    assert write_pages(tmp_path).is_file()
    store.save(result("Żółć@x.edu"))
    (tmp_path / "html" / "students" / "gone.html").write_text("old")
    write_pages(tmp_path)
    assert "students/%C5%BB%C3%B3%C5%82%C4%87%40x.edu.html" in (tmp_path / "html" / "index.html").read_text()
    assert [path.name for path in (tmp_path / "html" / "students").iterdir()] == ["Żółć@x.edu.html"]


def test_a_folder_without_results_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="holds no results"):
        write_pages(tmp_path)
    store = Store(tmp_path)
    store.save(result())
    (tmp_path / "results" / "ada.json").write_text(json.dumps({"student": 3}))
    with pytest.raises(UserError, match="damaged"):
        write_pages(tmp_path)


def test_bonus_points_are_shown_apart():
    """On the student's page, in the class's table and beside its figures; percentages are of the score alone."""
    bonus = QuestionResult("q9", "Extra", 4.0, 6, "failed", True)
    for limit, shown, total, said in ((None, "4 bonus", 9, ""), (3, "3 bonus (of 4 earned)", 8, ", at most 3 of them")):
        earned = result(bonus=4.0, bonus_limit=limit)
        earned.questions.append(bonus)
        text = re.sub(r"\s+", " ", Tags(student_page(earned)).text)
        assert f"5 of 5 + {shown} points 100.0 %" in text
        page = class_page([earned, result("bob")])
        text = re.sub(r"\s+", " ", Tags(page).text)
        assert f"ada 5↪ 4 5 of 5 + {shown} 100.0" in text.replace(" ↪", "↪") and "bob" in text
        assert f'data-value="{total}' in page and "100 % mean" in text
        assert f"Out of 5 points; bonus points count on top{said}, and not in percentages. Sandbox" in text
    assert "bonus" not in Tags(class_page([result()])).text


def test_names_of_entries_and_code_are_set_apart():
    text = "In *far from zero*: `a*b*c` is 2 * 3 * 4 <b>, and `x"
    assert html._prose(text) == "In <em>far from zero</em>: <code>a*b*c</code> is 2 * 3 * 4 &lt;b&gt;, and `x"
