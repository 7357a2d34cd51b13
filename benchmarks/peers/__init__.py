# SPDX-License-Identifier: MIT
"""The others, each used the fastest way we found; every module names what is missing when it can't be loaded."""

from collections.abc import Callable

import numpy as np

IdsAndDepth = Callable[[], tuple[np.ndarray, np.ndarray]]  # a call that renders and gives triangle_id, depth [H,W]
