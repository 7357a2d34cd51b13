# SPDX-License-Identifier: MIT
"""Data loaders fork: a child must draw after its parent has drawn with threads."""

import os

import numpy as np
import pytest

import intaglio

POS = np.float32([[[-1, -1, 0, 1], [1, -1, 0, 1], [0, 1, 0, 1]]])
TRIANGLES = np.int32([[0, 1, 2]])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # JAX's, where another test has imported it
def test_a_forked_child_draws_what_its_parent_drew() -> None:
    before = intaglio.get_num_threads()
    try:
        intaglio.set_num_threads(3)
        expected = intaglio.rasterize(POS, TRIANGLES, (300, 300)).triangle_id
        child = os.fork()
        if child == 0:  # a hang or a crash is the failure; no exception may reach the parent's test runner
            same = np.array_equal(intaglio.rasterize(POS, TRIANGLES, (300, 300)).triangle_id, expected)
            os._exit(0 if same and intaglio.get_num_threads() == 3 else 1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        intaglio.set_num_threads(before)
