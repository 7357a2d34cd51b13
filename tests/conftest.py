# SPDX-License-Identifier: MIT
"""Shared by all tests: every test starts with the default number of threads and leaves it so."""

import pytest

from intaglio import ops


@pytest.fixture(autouse=True)
def default_threads():
    before = ops.get_num_threads()
    yield
    ops.set_num_threads(before)
