# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import torch

from intaglio import losses, shapes
from intaglio.mesh import Mesh

SQUARE = np.array([[0, 1, 2], [2, 1, 3]], dtype=np.int32)
CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])


def test_squared_error_is_a_sum():
    assert losses.squared_error(np.full((1, 2, 2, 3), 3.0), np.ones((1, 2, 2, 3))) == 2 * 2 * 3 * 4


def test_iou_of_equal_silhouettes_is_no_loss_and_of_disjoint_ones_a_whole():
    left, right = np.array([[1.0, 0]]), np.array([[0.0, 1]])
    assert losses.silhouette_iou(left, left) == 0
    assert losses.silhouette_iou(left, right) == 1
    assert losses.silhouette_iou(np.array([[1.0, 1, 0]]), np.array([[0.0, 1, 1]])) == pytest.approx(2 / 3)


def test_iou_of_a_batch_is_the_mean_over_its_images():
    alpha = np.array([[[1.0, 0]], [[0.0, 1]]])
    assert losses.silhouette_iou(alpha, np.array([[[1.0, 0]], [[1.0, 0]]])) == 0.5


def test_two_empty_silhouettes_agree_with_a_finite_gradient():
    alpha = torch.zeros(2, 2, requires_grad=True)
    loss = losses.silhouette_iou(alpha, torch.zeros(2, 2))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(alpha.grad).all()


def test_the_middle_of_a_fan_is_drawn_to_the_middle_of_its_ring():
    ring = [[1.0, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]]
    fan = [[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 1]]
    vertices = torch.tensor([[0, 0, 0.5], *ring], dtype=torch.float64, requires_grad=True)
    flat = losses.laplacian(vertices * torch.tensor([1.0, 1, 0]), torch.tensor(fan))
    high = losses.laplacian(vertices, torch.tensor(fan))
    # Lifted by h, the middle is h from its neighbours' mean. A ring vertex has the middle as two of four neighbours,
    # counted by its two triangles: its offset gains h / 2.
    assert (high - flat).item() == pytest.approx((0.5**2 + 4 * 0.25**2) / 5)


def test_a_vertex_without_triangles_adds_nothing_to_the_laplacian():
    triangle = np.array([[0, 1, 2]])
    alone = losses.laplacian(CORNERS[:3], triangle)
    assert losses.laplacian(np.concatenate([CORNERS[:3], [[9, 9, 9]]]), triangle) == pytest.approx(alone * 3 / 4)


def test_a_flat_surface_is_consistent_and_a_fold_of_90_degrees_costs_one():
    assert losses.normal_consistency(CORNERS, SQUARE) == pytest.approx(0)
    # The second triangle stands upright on the diagonal.
    folded = CORNERS.copy()
    folded[3] = [0.5, 0.5, 1]
    assert losses.normal_consistency(folded, SQUARE) == pytest.approx(1)
    assert losses.normal_consistency(folded, SQUARE, Mesh(folded, SQUARE).neighbours) == pytest.approx(1)


def test_a_mesh_without_inner_edges_is_consistent():
    assert losses.normal_consistency(CORNERS[:3], SQUARE[:1]) == 0


def test_edge_length_is_the_mean_over_sides():
    # Sides of both triangles: 1, 1 and the root of 2.
    assert losses.edge_length(CORNERS, SQUARE) == pytest.approx(4 / 3)
    assert losses.edge_length(CORNERS, SQUARE, target=1.0) == pytest.approx((2**0.5 - 1) ** 2 / 3)


def test_a_side_without_length_has_a_finite_gradient():
    vertices = torch.zeros(3, 3, requires_grad=True)
    losses.edge_length(vertices, torch.tensor([[0, 1, 2]]), target=1.0).backward()
    assert vertices.grad.abs().sum() == 0


@pytest.mark.parametrize("loss", [losses.laplacian, losses.normal_consistency, losses.edge_length])
def test_losses_of_meshes_have_true_gradients_and_batches_their_mean(loss):
    mesh = shapes.icosphere(0)
    generator = torch.Generator().manual_seed(0)
    vertices = torch.tensor(mesh.vertices, dtype=torch.float64).repeat(2, 1, 1)
    vertices = (vertices + 0.1 * torch.rand(2, 12, 3, generator=generator, dtype=torch.float64)).requires_grad_()
    triangles = torch.tensor(mesh.triangles)
    assert torch.autograd.gradcheck(lambda v: loss(v, triangles), vertices)
    mean = (loss(vertices[0], triangles) + loss(vertices[1], triangles)) / 2
    assert loss(vertices, triangles).item() == pytest.approx(mean.item())
    assert loss(vertices.detach().numpy(), mesh.triangles) == pytest.approx(mean.item())


@pytest.mark.parametrize("loss", [losses.laplacian, losses.normal_consistency, losses.edge_length])
def test_an_empty_mesh_has_no_loss(loss):
    assert loss(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32)) == 0


def test_targets_of_another_shape_are_named():
    with pytest.raises(
        ValueError, match=r"^squared_error: target must have the shape of image; got \[2\] for \[2, 2\]$"
    ):
        losses.squared_error(np.zeros((2, 2)), np.zeros(2))
    with pytest.raises(
        ValueError, match=r"^silhouette_iou: target must have the shape of alpha; got \[1, 2, 2\] for \[2, 2\]$"
    ):
        losses.silhouette_iou(np.zeros((2, 2)), np.zeros((1, 2, 2)))
