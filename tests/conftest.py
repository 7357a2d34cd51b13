# SPDX-License-Identifier: MIT
"""Shared by all tests: every test starts with the default number of threads and leaves it so; a skip is a failure."""

import gc

import pytest
from complete import pytest_sessionfinish

from intaglio import ops

__all__ = ["default_threads", "pytest_collection_finish", "pytest_sessionfinish"]


def pytest_collection_finish():
    """What the frameworks brought along stays as long as the process: no collection need look through it again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def default_threads():
    before = ops.get_num_threads()
    yield
    ops.set_num_threads(before)
