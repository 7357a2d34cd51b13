# SPDX-License-Identifier: MIT
"""How many threads PyTorch's own ops use."""

import torch

__all__ = ["use_one_torch_thread"]


def use_one_torch_thread() -> None:
    """Leave the cores to intaglio's ops and to the coding of pictures, for a program that fits on images of usual size.

    PyTorch's threads wait for one another at every op, of which a step has a hundred; where something else uses a core,
    that takes ten times as long as it saves. Holds for the whole process, so libraries must not call it.
    """
    torch.set_num_threads(1)
