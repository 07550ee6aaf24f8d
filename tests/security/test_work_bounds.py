"""Work and memory are bounded by the input: twice the input takes at most about twice the work."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from PIL import Image

from deploy.local.engines import ROOT
from products.admin.formatting import _marked_parts
from products.api.parsers import BatchJSONParser
from products.product import normalised_name

MAX_RATIO = 3.0  # of the CPU time for twice the input; a quadratic path has 4
MAX_IMAGE_MEGABYTES = 150


def json_of_keys(size: int) -> Callable[[], object]:
    body = json.dumps({f"key-{number}": number for number in range(size)}).encode()
    return lambda: BatchJSONParser().parse(io.BytesIO(body))


def text_of_one_word(size: int) -> Callable[[], object]:
    return lambda: _marked_parts(["a"] * size, ["b", "a"] * (size // 2), " ")


def text_of_two_words(size: int) -> Callable[[], object]:
    return lambda: _marked_parts(["a", "b"] * (size // 2), ["b", "b", "a"] * (size // 3), " ")


def long_name(size: int) -> Callable[[], object]:
    return lambda: normalised_name("\u00c5 \u200b\ufe0f" * size)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the least CPU time of several runs: other processes only add to it."""
    times = []
    for _ in range(5):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.parametrize(
    ("work_on", "size"),
    [
        (json_of_keys, 10_000),
        (text_of_one_word, 4000),
        (text_of_two_words, 4000),
        (long_name, 5000),
    ],
)
def test_twice_the_input_takes_twice_the_work(
    work_on: Callable[[int], Callable[[], object]], size: int
) -> None:
    assert cpu_seconds(work_on(2 * size)) < MAX_RATIO * cpu_seconds(work_on(size))


def test_duplicate_keys_are_still_found() -> None:
    with pytest.raises(Exception, match="'a' occurs twice"):
        BatchJSONParser().parse(io.BytesIO(b'{"a": 1, "b": 2, "a": 3}'))


@pytest.mark.parametrize(
    ("kind", "size", "mode"),
    [
        ("PNG", (6000, 4000), "RGB"),
        ("PNG", (6000, 4000), "RGBA"),
        ("PNG", (6000, 4000), "P"),
        ("PNG", (6000, 4000), "L"),
        ("JPEG", (6000, 4000), "RGB"),
        ("WEBP", (3200, 2500), "RGB"),
    ],
)
def test_largest_images_fit_into_their_memory(kind: str, size: tuple[int, int], mode: str) -> None:
    data = io.BytesIO()
    options = {"progressive": True, "subsampling": 0} if kind == "JPEG" else {}
    Image.new(mode, size, 1).save(data, kind, **options)
    script = (
        "import sys, resource, django; django.setup();"
        "from products.admin.images import validated_image;"
        "data = sys.stdin.buffer.read();"
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "before = used(); validated_image(data); print((used() - before) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=data.getvalue(),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert int(done.stdout) <= MAX_IMAGE_MEGABYTES
