# SPDX-License-Identifier: MIT
"""One vertex followed through the renderer and back, in numbers that can be checked by hand.

8 x 8 pixels. Clip-space (x, y, w): v0 = (-1/2, -3/4, 1), v1 = (3/4, -1/2, 1), v2 = (-1/2, 1, 2), z = 0 everywhere.
At column 3, row 3 (row 0 is the top) the centre is (-1/8, 1/8) in ndc. The edge functions there, as determinants of
two corners and the pixel, are (1/2, 1/2, 1); divided by their sum they are the perspective-correct weights.
"""

import numpy as np
import pytest
import torch
from reference import raster
from reference.derivative import gradient

from intaglio import ops

POS_CLIP = np.array([[[-0.5, -0.75, 0, 1], [0.75, -0.5, 0, 1], [-0.5, 1, 0, 2]]])
TRIANGLES = np.array([[0, 1, 2]], dtype=np.int32)
RED = np.array([[0.0], [0.0], [1.0]])
SIZE = (8, 8)
# By the top-left rule on the grid of 1/256 pixel; v2 is seen at ndc (-1/4, 1/2).
COVERED = """
........
........
........
...#....
..###...
..####..
..##....
........
"""


def picture(triangle_id) -> str:
    return "\n" + "".join("".join(".#"[int(i) >= 0] for i in row) + "\n" for row in triangle_id)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_triangle_covers_these_pixels(dtype):
    fragments = ops.rasterize(POS_CLIP.astype(dtype), TRIANGLES, SIZE)
    assert picture(fragments.triangle_id[0]) == COVERED


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_are_perspective_correct(dtype):
    # Screen-space weights would be (1/6, 1/6, 2/3).
    fragments = ops.rasterize(POS_CLIP.astype(dtype), TRIANGLES, SIZE)
    assert fragments.barycentrics[0, 3, 3].tolist() == [0.25, 0.25]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_red_arrives_at_half(dtype):
    fragments = ops.rasterize(POS_CLIP.astype(dtype), TRIANGLES, SIZE)
    image = ops.interpolate(RED.astype(dtype), fragments, TRIANGLES)
    assert image[0, 3, 3, 0] == 0.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_gradient_returns_to_the_far_vertex(dtype):
    pos_clip = torch.tensor(POS_CLIP, dtype=dtype, requires_grad=True)
    triangles = torch.from_numpy(TRIANGLES)
    fragments = ops.rasterize(pos_clip, triangles, SIZE)
    red = ops.interpolate(torch.tensor(RED, dtype=dtype), fragments, triangles)[0, 3, 3, 0]
    (red**2 / 2).backward()
    # All terms are sums of products of powers of two: exact in float32 as well.
    assert pos_clip.grad is not None
    assert pos_clip.grad[0, 2].tolist() == [1 / 32, -5 / 32, 0, 3 / 128]


def test_the_reference_takes_the_same_way():
    fragments = raster.rasterize(POS_CLIP, TRIANGLES, SIZE)
    assert picture(fragments.triangle_id[0]) == COVERED
    assert fragments.barycentrics[0, 3, 3].tolist() == [0.25, 0.25]

    def loss(pos_clip):
        weights = raster.attributes_of_position(pos_clip, TRIANGLES, fragments.triangle_id)[0]
        return (1 - weights[0, 3, 3].sum()) ** 2 / 2

    np.testing.assert_allclose(gradient(loss, POS_CLIP)[0, 2], [1 / 32, -5 / 32, 0, 3 / 128], rtol=1e-15)
