import base64
import io
from pathlib import Path

from nbformat import from_dict

from autograder.authoring.outputs import collapse, small_png, tidy_outputs


def test_progress_bars_collapse():
    assert collapse("a: 1/3\ra: 2/3 xx\ra: 3/3\ndone\n") == "a: 3/3 xx\ndone\n"
    assert collapse("plain\n") == "plain\n"


def test_outputs_are_fit_to_be_committed(tmp_path: Path):
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": f"{tmp_path}/x "},
        {"output_type": "stream", "name": "stderr", "text": "warning in /somewhere"},
        {"output_type": "stream", "name": "stdout", "text": "<object at 0x7f0123456789> \x1b[31mred\x1b[0m"},
        {"output_type": "display_data", "metadata": {"needs": 1}, "data": {"application/x-widget": "w"}},
    ]
    tidy = tidy_outputs([from_dict(output) for output in outputs], [tmp_path])
    assert [output.text for output in tidy] == ["./x <object at 0x…> red"]


def test_images_shrink_and_stay_the_same():
    import numpy as np
    from PIL import Image

    image = Image.fromarray(np.full((300, 400, 4), 255, dtype=np.uint8), "RGBA")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=0)
    small = base64.b64decode(small_png(base64.b64encode(buffer.getvalue()).decode()))
    assert len(small) < len(buffer.getvalue()) / 10
    again = Image.open(io.BytesIO(small)).convert("RGBA")
    assert np.array_equal(np.asarray(again), np.asarray(image))
    assert small_png("AAAA") == "AAAA"  # no image: left alone


def test_a_film_stays_whole_whatever_its_letters_say(tmp_path: Path):
    picture = "data:image/gif;base64," + 2000 * "A/0x123456789+" + "="
    html = f'<img alt="film at {tmp_path}/x" src="{picture}"> <object at 0x7f0123456789>' + "b" * 30_000
    output = from_dict({"output_type": "execute_result", "metadata": {}, "data": {"text/html": html}})
    shown = tidy_outputs([output], [tmp_path])[0].data["text/html"]
    assert shown.startswith(f'<img alt="film at ./x" src="{picture}"> <object at 0x…>bbb')
    assert shown.endswith("… (cut)\n") and len(shown) < len(picture) + 21_000
