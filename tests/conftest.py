# SPDX-License-Identifier: MIT
"""Shared by all tests: every test starts with the default number of threads and leaves it so; a skip is a failure."""

import pytest
from complete import pytest_sessionfinish

from intaglio import ops

__all__ = ["default_threads", "pytest_sessionfinish"]


@pytest.fixture(autouse=True)
def default_threads():
    before = ops.get_num_threads()
    yield
    ops.set_num_threads(before)
