# SPDX-License-Identifier: MIT
"""Values of vertices, along the edges of their surface."""

from __future__ import annotations

from .calls.surface import SMOOTH
from .door import Array, Door


def smooth(values: Array, starts: Array, ends: Array, *, rounds: int, share: float = 0.95) -> Array:
    """The values of vertices, [V, C], spread over the edges of their surface.

    values: [V, C]. Differentiable.
    starts, ends: of `topology.edge_ends(triangles, V)`.

    Other arguments:
    rounds: how many edges far a value is felt.
    share: how much of a vertex comes from its neighbours in a round; the rest is its own value. From 0 to below 1.

    In a round neighbours weigh 1 / sqrt(their number of neighbours times the vertex's own), so that the map is
    symmetric: it is its own gradient. A vertex without edges keeps (1 - share) of its value.

    Raises ValueError on shapes, dtypes and indices out of range.

    >>> starts, ends = np.int32([0, 1, 2]), np.int32([1, 0])  # one edge
    >>> smooth(np.float32([[1.0], [0.0]]), starts, ends, rounds=1, share=0.5)
    array([[0.5],
           [0.5]], dtype=float32)

    Nicolet, Jacobson, Jakob: Large Steps in Inverse Rendering of Geometry, 2021: the beginning of the series of the
    inverse of their system.
    """
    door = Door("smooth", "values", values)
    door.value("values", values, ("V", "C"))
    door.index("starts", starts, (values.shape[0] + 1,), remedy="see topology.edge_ends")
    door.index("ends", ends, ("E",))
    if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < 0:
        door.fail("rounds", "a whole number from 0 on", repr(rounds), "how many edges far a value is felt")
    if not (isinstance(share, int | float) and 0 <= share < 1):
        door.fail("share", "a number from 0 to below 1", repr(share), "the default is 0.95")
    return door.front.apply(SMOOTH, values, starts, ends, rounds, float(share))[0]
