# SPDX-License-Identifier: MIT
"""Imports the peers' packages: what a process should have done before it is timed."""

import deodr.differentiable_renderer  # noqa: F401
import moderngl  # noqa: F401
