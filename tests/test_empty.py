# SPDX-License-Identifier: MIT
"""What is odd, but good: nothing to draw, no images, no channels, uv beyond all texels."""

import numpy as np
import pytest
import torch

from intaglio import ops

POS = np.array([[[-1, -1, 0, 1], [1, -1, 0, 1], [0, 1, 0, 1]]], dtype=np.float32)
TRIANGLES = np.array([[0, 1, 2]], dtype=np.int32)
SIZE = (4, 6)
FRAGMENTS = ops.rasterize(POS, TRIANGLES, SIZE)
ATTRIBUTES = np.zeros((3, 2), dtype=np.float32)
TEXTURE = np.ones((1, 4, 4, 3), dtype=np.float32)
UV = np.zeros((1, 2, 2, 2), dtype=np.float32)


def test_an_empty_mesh_is_background():
    fragments = ops.rasterize(POS[:, :0], TRIANGLES[:0], SIZE)
    assert (fragments.triangle_id == -1).all()
    image = ops.interpolate(ATTRIBUTES, fragments, TRIANGLES[:0])
    assert not image.any()
    assert not ops.antialias(image, fragments, POS, TRIANGLES[:0]).any()


@pytest.mark.parametrize("filter", ["nearest", "bilinear"])
@pytest.mark.parametrize("wrap", ["repeat", "mirror", "clamp"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e37, -1e37, 3e9, -3e9])
def test_uv_beyond_all_texels_reads_texels_or_gives_nan(value, wrap, filter):
    sample = ops.sample_texture(TEXTURE, np.full_like(UV, value), filter=filter, wrap=wrap)
    assert ((sample == 1) | (np.isnan(sample) & ~np.isfinite(value))).all()


def test_an_empty_batch_gives_an_empty_image():
    fragments = ops.rasterize(POS[:0], TRIANGLES, SIZE)
    assert fragments.depth.shape == (0, 4, 6)
    assert ops.interpolate(ATTRIBUTES, fragments, TRIANGLES).shape == (0, 4, 6, 2)


def test_no_channels_give_no_channels():
    assert ops.interpolate(ATTRIBUTES[:, :0], FRAGMENTS, TRIANGLES).shape == (1, 4, 6, 0)


def test_an_empty_mesh_has_a_gradient_of_its_shape():
    pos = torch.zeros(2, 0, 4, requires_grad=True)
    fragments = ops.rasterize(pos, torch.zeros(0, 3, dtype=torch.int32), SIZE)
    fragments.depth.sum().backward()
    assert pos.grad.shape == (2, 0, 4)
