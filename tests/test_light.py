# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import torch

from intaglio.light import AmbientLight, DirectionalLight, PointLight, irradiance

UP = np.array([[0.0, 1, 0]])
DOWN = -UP


def test_ambient_light_falls_on_everything_alike():
    light = AmbientLight((1, 0.5, 0), intensity=0.5)
    assert np.broadcast_to(irradiance([light], np.concatenate([UP, DOWN])), (2, 3)).tolist() == [[0.5, 0.25, 0]] * 2


def test_directional_light_follows_the_cosine_and_does_not_reach_the_other_side():
    light = DirectionalLight((0, 2, 0))
    slanted = np.array([[0, 0.5, np.sqrt(0.75)]])
    assert irradiance([light], UP).tolist() == [[1, 1, 1]]
    assert irradiance([light], slanted) == pytest.approx(0.5)
    assert irradiance([light], DOWN).tolist() == [[0, 0, 0]]


def test_a_point_light_fades_with_the_square_of_its_distance():
    light = PointLight((0, 3, 0), intensity=9)
    assert irradiance([light], UP, np.zeros((1, 3))) == pytest.approx(1)
    assert irradiance([light], UP, np.array([[0.0, 1.5, 0]])) == pytest.approx(4)
    assert irradiance([light], DOWN, np.zeros((1, 3))).tolist() == [[0, 0, 0]]


def test_lights_add_and_none_are_darkness():
    lights = [AmbientLight(intensity=0.25), DirectionalLight((0, 1, 0), (0, 0, 1), 0.5)]
    assert irradiance(lights, UP).tolist() == [[0.25, 0.25, 0.75]]
    assert irradiance([], UP).tolist() == [0, 0, 0]


def test_each_image_of_a_batch_can_have_its_own_light():
    normals = np.stack([np.concatenate([UP, DOWN])] * 3)  # [3, 2, 3]
    lights = [
        AmbientLight(intensity=np.array([0.0, 1, 2])),
        DirectionalLight([[0, 1, 0], [0, -1, 0], [1, 0, 0]], color=[[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    ]
    expected = [[[1, 0, 0], [0, 0, 0]], [[1, 1, 1], [1, 2, 1]], [[2, 2, 2], [2, 2, 2]]]
    assert irradiance(lights, normals).tolist() == expected
    assert irradiance(lights, normals[:, :, None]).shape == (3, 2, 1, 3)


def test_one_light_of_each_image_and_one_of_all_add():
    normals = np.stack([np.concatenate([UP, DOWN])] * 2)
    lights = [DirectionalLight([[0, 1, 0], [0, -1, 0]]), DirectionalLight((0, 1, 0), intensity=np.array([1.0, 2]))]
    assert irradiance(lights, normals)[..., 0].tolist() == [[2, 0], [2, 1]]


def test_gradients_reach_lights_normals_and_positions():
    def shade(normals, positions, direction, place, color, intensity):
        lights = [
            AmbientLight(color, intensity),
            DirectionalLight(direction, color, intensity),
            PointLight(place, color, intensity),
        ]
        return irradiance(lights, normals, positions)

    values = [[[0, 0.8, 0.6], [0.6, 0.8, 0]], [[0.1, 0, 0], [0, 0.2, 0]], [1, 2, 3], [2, 3, 1], [1, 0.5, 0.2], 0.7]
    arguments = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values]
    assert torch.autograd.gradcheck(shade, arguments)


def test_a_point_on_a_light_has_a_finite_gradient():
    positions = torch.zeros(1, 3, requires_grad=True)
    lights = [PointLight((0, 0, 0)), DirectionalLight((0, 0, 0))]
    shade = irradiance(lights, torch.tensor(UP, dtype=torch.float32), positions)
    shade.sum().backward()
    assert torch.isfinite(shade).all()
    assert torch.isfinite(positions.grad).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AmbientLight(color=1), r"^AmbientLight: color must be \[3\] or \[B, 3\]; got \[\]$"),
        (lambda: DirectionalLight((0, 1)), r"^DirectionalLight: direction must be \[3\] or \[B, 3\]; got \[2\]$"),
        (lambda: PointLight(np.zeros((1, 1, 3))), r"^PointLight: position must be \[3\] or \[B, 3\]; got \[1, 1, 3\]$"),
        (
            lambda: AmbientLight(intensity=np.zeros((2, 1))),
            r"^AmbientLight: intensity must be a number or \[B\]; got \[2, 1\]$",
        ),
    ],
)
def test_bad_lights_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
