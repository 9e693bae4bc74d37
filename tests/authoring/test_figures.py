"""Pictures of a text are put into the notebook."""

import base64

import pytest

from autograder.authoring.figures import with_figures
from autograder.errors import UserError

ONE, TWO = b"\x89PNG one", b"\xff\xd8 two"


def test_a_picture_travels_inside_of_the_text(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "one.png").write_bytes(ONE)
    (tmp_path / "figures" / "two.jpg").write_bytes(TWO)
    text = "# T\n\n![a flower](figures/one.png) and ![b](figures/two.jpg), ![again](figures/one.png)\n![x](http://y/z.png)"
    got = with_figures(text, tmp_path, "opening.py, line 1").split("\n\n")
    assert got[1] == "![a flower][figure-one] and ![b][figure-two], ![again][figure-one]\n![x](http://y/z.png)"
    assert got[2:] == [
        f"[figure-one]: data:image/png;base64,{base64.b64encode(ONE).decode()}",
        f"[figure-two]: data:image/jpeg;base64,{base64.b64encode(TWO).decode()}",
    ]
    assert with_figures("no picture", tmp_path, "") == "no picture"


@pytest.mark.parametrize(("name", "said"), [("none.png", "cannot be read"), ("notes.txt", "neither a .png nor a .jpg")])
def test_a_picture_that_is_not_there_is_told_with_its_place(tmp_path, name, said):
    with pytest.raises(UserError, match=said) as error:
        with_figures(f"![x](figures/{name})", tmp_path, "opening.py, line 1")
    assert str(error.value).startswith("opening.py, line 1: ")
