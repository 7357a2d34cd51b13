# SPDX-License-Identifier: MIT
"""A short run of `make fuzz`, and that it would find something."""

import numpy as np
import pytest
from fuzz import readers, scenes
from fuzz.cameras import CAMERA_FILES
from fuzz.mutating import generator, mutated

from intaglio import ops

COUNT = 300
OF_CAMERAS = 100  # whose readers are many and small
NUM_SCENES = 120


@pytest.mark.parametrize("target", readers.TARGETS)
def test_mutated_files_are_read_or_refused(tmp_path, target):
    sound = readers.seeds(tmp_path)[target]
    assert all(readers.read(target, data, tmp_path) for data in sound)
    num_read, count = 0, OF_CAMERAS if target in CAMERA_FILES else COUNT
    for number in range(count):
        rng = generator("tests", number)
        num_read += readers.read(target, mutated(rng.choice(sound), sound, rng), tmp_path)
    assert 0 < num_read < count  # mutations are neither all harmless nor all plain noise


def test_what_escapes_a_reader_is_seen(tmp_path, monkeypatch):
    def careless(path):
        return path.read_bytes()[10**6]

    monkeypatch.setitem(readers.TARGETS, "stl", readers.Target("a.stl", careless))
    with pytest.raises(IndexError):
        readers.read("stl", b"", tmp_path)


def test_an_input_is_made_again_by_its_number():
    seeds = [b"solid a\nvertex 0 0 0\n"]
    first, again = (mutated(seeds[0], seeds, generator("0 stl", 17)) for _ in range(2))
    assert first == again


@pytest.mark.filterwarnings("ignore:.*gave up after:RuntimeWarning")  # in tangles it may
def test_hostile_scenes_are_drawn_or_refused():
    num_drawn = sum(scenes.check(0, number) for number in range(NUM_SCENES))
    assert 0 < num_drawn < NUM_SCENES


@pytest.mark.filterwarnings("ignore:.*gave up after:RuntimeWarning")
def test_a_wrong_result_of_an_op_is_seen(monkeypatch):
    interpolate = ops.interpolate

    def careless(attributes, *others):
        return interpolate(attributes * np.nan, *others)

    monkeypatch.setattr(ops, "interpolate", careless)
    with pytest.raises(AssertionError, match="interpolate: not finite"):
        [scenes.check(0, number) for number in range(NUM_SCENES)]


@pytest.mark.filterwarnings("ignore:.*gave up after:RuntimeWarning")
def test_a_scene_is_made_again_by_its_number():
    first, again = (scenes.draw(np.random.default_rng((0, 3))) for _ in range(2))
    assert first.keys() == again.keys()
    for name in first:
        assert all(a.tobytes() == b.tobytes() for a, b in zip(first[name], again[name], strict=True))
