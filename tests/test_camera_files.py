# SPDX-License-Identifier: MIT
import json
import struct

import numpy as np
import pytest
from assets import rich_asset

from intaglio import Camera, InputError, Limits, load_asset, load_cameras, render, save, save_cameras, shapes
from intaglio.camera import Fisheye, Intrinsics, Orthographic, Panorama, Perspective, RawMatrix, orbit
from intaglio.io import save_image
from intaglio.io.cameras import Views

SIZE = (48, 64)
# With a focal length of 100 and the middle of 48 x 64 pixels as principal point, what is 0.19 right and down at a
# distance of 2 lies in the middle of the pixel in column 41 and row 33, whatever the file counts pixels from.
LANDS = (41.5, 33.5)
OPENCV_POINT, OPENGL_POINT = np.array([[0.19, 0.19, 2]]), np.array([[0.19, -0.19, -2]])


def colmap_text(folder, camera="1 PINHOLE 64 48 100 100 32 24", image="1 1 0 0 0 0 0 0 1 a b.png\n\n", points=None):
    (folder / "cameras.txt").write_text(f"# comment\n{camera}\n")
    (folder / "images.txt").write_text(f"# comment\n{image}")
    if points:
        (folder / "points3D.txt").write_text(points)
    return folder


def colmap_binary(folder):
    cameras = struct.pack("<QIiQQ4d", 1, 7, 1, 64, 48, 100, 100, 32, 24)
    seen = struct.pack("<Q2dQ", 1, 0.5, 0.5, 3)
    image = struct.pack("<QI7dI", 1, 1, 2, 0, 0, 0, 0, 0, 0, 7) + b"a b.png\0" + seen
    point = struct.pack("<QQ3d3BdQ2I", 1, 3, 1, 2, 3, 255, 0, 0, 0.5, 1, 1, 0)
    for name, data in (("cameras", cameras), ("images", image), ("points3D", point)):
        (folder / f"{name}.bin").write_bytes(data)
    return folder


def transforms(folder, frame=None, **fields):
    frames = [{"file_path": "a.png", "transform_matrix": np.eye(4).tolist(), **(frame or {})}]
    text = {"fl_x": 100, "fl_y": 100, "cx": 32, "cy": 24, "w": 64, "h": 48, "aabb_scale": 4, "frames": frames}
    return put(folder / "transforms.json", json.dumps({**text, **fields}))


def put(path, text):
    path.write_text(text)
    return path


def llff(folder):
    # columns: down, right, backward, place, (height, width, focal)
    matrix = [[0, 1, 0, 0, 48], [-1, 0, 0, 0, 64], [0, 0, 1, 0, 100]]
    np.save(folder / "poses_bounds.npy", [[*np.ravel(matrix), 1.5, 7]])
    return folder / "poses_bounds.npy"


K = np.array([[100, 0, 31.5], [0, 100, 23.5], [0, 0, 1]])


def npz(folder, **arrays):
    named = {"K": K, "R": np.eye(3), "t": np.zeros(3), "image_width": 64, "image_height": 48}
    np.savez(folder / "a.npz", **{**named, **arrays})
    return folder / "a.npz"


def opencv_json(folder):
    matrix = {"type_id": "opencv-matrix", "rows": 3, "cols": 3, "dt": "d", "data": K.ravel().tolist()}
    fields = {"camera_matrix": matrix, "tvec": [0, 0, 0], "rvec": [0, 0, 0], "image_width": 64, "image_height": 48}
    return put(folder / "calibration.json", json.dumps(fields))


def par(folder):
    return put(folder / "temple_par.txt", "1\na b.png 100 0 31.5 0 100 23.5 0 0 1 1 0 0 0 1 0 0 0 1 0 0 0\n")


def matrices(folder):
    return put(folder / "p.txt", "CONTOUR\n100 0 31.5 0\n0 100 23.5 0\n0 0 1 0\n")


def matrices_npy(folder):
    np.save(folder / "p.npy", -2 * np.concatenate([K, np.zeros((3, 1))], axis=1))
    return folder / "p.npy"


FORMATS = {
    "COLMAP text": (colmap_text, OPENCV_POINT),
    "COLMAP binary": (colmap_binary, OPENCV_POINT),
    "transforms.json": (transforms, OPENGL_POINT),
    "LLFF": (llff, OPENGL_POINT),
    "OpenCV npz": (npz, OPENCV_POINT),
    "OpenCV json": (opencv_json, OPENCV_POINT),
    "Middlebury": (par, OPENCV_POINT),
    "matrices": (matrices, OPENCV_POINT),
    "matrices npy": (matrices_npy, OPENCV_POINT),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_point_lands_on_its_pixel(tmp_path, name):
    make, point = FORMATS[name]
    size = SIZE if "matrices" in name or name == "Middlebury" else None
    views = load_cameras(make(tmp_path), size=size)
    assert len(views) == 1
    assert views.sizes == (SIZE,)
    assert views.camera.project(point, SIZE)[0, 0] == pytest.approx(LANDS)
    clip = views.cameras[0].clip(point, SIZE)[0, 0]
    assert clip[3] == pytest.approx(2)
    assert abs(clip[2]) < clip[3]


def test_a_camera_of_an_asset_looks_down_its_nodes_z(tmp_path):
    save(tmp_path / "a.glb", rich_asset())
    views = load_cameras(tmp_path / "a.glb", far=50)
    asset = load_asset(tmp_path / "a.glb")
    assert [camera.view_from_world.tolist() for camera in asset.views().cameras] == [
        camera.view_from_world.tolist() for camera in views.cameras
    ]
    nodes = [k for k in asset.shown() if asset.nodes[k].camera is not None]
    assert len(views) == len(nodes) > 0
    for node, camera, name in zip(nodes, views.cameras, views.names, strict=True):
        world_from_node, lens = asset.world_from_nodes()[node], asset.cameras[asset.nodes[node].camera]
        point = (world_from_node @ [0.2, 0.1, -lens.near - 1, 1])[None, :3]
        half = lens.y_half or np.tan(lens.fov_y / 2) * (lens.near + 1)
        assert isinstance(camera.projection, Perspective if lens.fov_y else Orthographic)
        assert camera.project(point, SIZE)[0, 0] == pytest.approx([32 + 24 * 0.2 / half, 24 - 24 * 0.1 / half])
        assert camera.projection.far == (50 if lens.far is None else lens.far)
        assert name == asset.nodes[node].name or lens.name


def test_a_folder_is_known_by_what_it_holds(tmp_path):
    (tmp_path / "sparse" / "0").mkdir(parents=True)
    (tmp_path / "images").mkdir()
    colmap_binary(tmp_path / "sparse" / "0")
    save_image(tmp_path / "images" / "a b.png", np.zeros((48, 64, 3)))
    for path in (tmp_path, tmp_path / "sparse" / "0", tmp_path / "sparse" / "0" / "images.bin"):
        views = load_cameras(path)
        assert views.images == (tmp_path / "images" / "a b.png",)
        assert views.missing == ()
    assert views.points.tolist() == [[1, 2, 3]]
    assert views.point_colors.tolist() == [[1, 0, 0]]
    with pytest.raises(InputError, match=r"images: holds no cameras \(transforms.json, "):
        load_cameras(tmp_path / "images")


LENSES = {
    "SIMPLE_PINHOLE": "99 32 24",
    "PINHOLE": "99 98 32 24",
    "SIMPLE_RADIAL": "99 32 24 0.1",
    "RADIAL": "99 32 24 0.1 -0.02",
    "OPENCV": "99 98 32 24 0.1 -0.02 0.003 0.004",
    "FULL_OPENCV": "99 98 32 24 0.1 -0.02 0.003 0.004 0.01 0.02 0.03 0.04",
    "OPENCV_FISHEYE": "99 98 32 24 0.1 -0.02 0.003 0.004",
    "SIMPLE_RADIAL_FISHEYE": "99 32 24 0.1",
    "RADIAL_FISHEYE": "99 32 24 0.1 -0.02",
}


def colmap_projects(model, text, x, y, z):
    """As COLMAP's sensor/models.h documents its models, written down from the equations."""
    numbers = [float(word) for word in text.split()]
    one = model.startswith(("SIMPLE", "RADIAL"))
    fx, fy, cx, cy = (numbers[0], *numbers[:3]) if one else numbers[:4]
    k = numbers[3:] if one else numbers[4:]
    u, v = x / z, y / z
    r = np.hypot(u, v)
    if "FISHEYE" in model:
        theta = np.arctan(r)
        bent = theta * (1 + sum(c * theta ** (2 * n + 2) for n, c in enumerate(k)))
        return fx * u * bent / r + cx, fy * v * bent / r + cy
    k1, k2, p1, p2, k3, k4, k5, k6 = [*k, *[0] * (8 - len(k))]
    radial = (1 + k1 * r**2 + k2 * r**4 + k3 * r**6) / (1 + k4 * r**2 + k5 * r**4 + k6 * r**6)
    du = u * radial + 2 * p1 * u * v + p2 * (r**2 + 2 * u**2)
    dv = v * radial + 2 * p2 * u * v + p1 * (r**2 + 2 * v**2)
    return fx * du + cx, fy * dv + cy


@pytest.mark.parametrize("model", LENSES)
def test_every_model_of_colmap_projects_as_it_should(tmp_path, model):
    views = load_cameras(colmap_text(tmp_path, camera=f"1 {model} 64 48 {LENSES[model]}"))
    point = (0.3, -0.2, 1.5)
    assert views.camera.project(np.array([point]), SIZE)[0, 0] == pytest.approx(
        colmap_projects(model, LENSES[model], *point)
    )
    for kind in ("colmap", "colmap text"):
        save_cameras(tmp_path / kind, views, kind=kind)
        assert_same(load_cameras(tmp_path / kind), views)
    assert model in (tmp_path / "colmap text" / "cameras.txt").read_text()


# --- transforms.json


def test_the_angle_of_view_stands_for_the_focal_length(tmp_path):
    fields = {"w": 64, "h": 48, "camera_angle_x": 2 * np.arctan(0.32)}
    frame = {"file_path": "a", "transform_matrix": np.eye(4).tolist()}
    views = load_cameras(put(tmp_path / "transforms.json", json.dumps({**fields, "frames": [frame]})))
    assert views.camera.project(OPENGL_POINT, SIZE)[0, 0] == pytest.approx(LANDS)


def test_synthetic_scenes_say_their_size_by_their_pictures(tmp_path):
    fields = {"camera_angle_x": 2 * np.arctan(0.32)}
    frames = [{"file_path": f"./train/r_{k}", "transform_matrix": np.eye(4).tolist()} for k in range(3)]
    path = put(tmp_path / "transforms_train.json", json.dumps({**fields, "frames": frames}))
    assert load_cameras(path).sizes == ((800, 800),) * 3  # as all of NeRF's own
    (tmp_path / "train").mkdir()
    save_image(tmp_path / "train" / "r_1.png", np.zeros((48, 64, 3)))
    views = load_cameras(tmp_path)
    assert views.missing == ("./train/r_0", "./train/r_2")
    assert views.images == (None, tmp_path / "train" / "r_1.png", None)
    assert views.names == ("./train/r_0", "./train/r_1", "./train/r_2")
    assert views.sizes == (SIZE,) * 3
    assert views.camera.project(OPENGL_POINT, SIZE)[2, 0] == pytest.approx(LANDS)


def test_frames_may_have_their_own_lens_and_mask(tmp_path):
    save_image(tmp_path / "m.png", np.zeros((48, 64)))
    own = {"fl_x": 50, "k1": 0.1, "mask_path": "m.png"}
    path = transforms(tmp_path, own, k1=0.2, p1=0.01, frames=[])
    root = json.loads(path.read_text())
    frame = {"file_path": "a.png", "transform_matrix": np.eye(4).tolist()}
    root["frames"] = [{**frame, **own}, {**frame, "file_path": "b.png", "mask_path": "n.png"}, frame]
    views = load_cameras(put(path, json.dumps(root)))
    assert [camera.projection.K[0, 0] for camera in views.cameras] == [50, 100, 100]
    assert [camera.projection.distortion[0] for camera in views.cameras] == [0.1, 0.2, 0.2]
    assert views.masks == (tmp_path / "m.png", None, None)
    assert views.missing == ("a.png", "b.png", "a.png", "n.png")


def test_other_cameras_of_transforms_are_known(tmp_path):
    fisheye = load_cameras(transforms(tmp_path, camera_model="OPENCV_FISHEYE", k1=0.1, k4=0.02)).cameras[0]
    assert isinstance(fisheye.projection, Fisheye)
    assert fisheye.projection.distortion.tolist() == [0.1, 0, 0, 0.02]
    assert isinstance(load_cameras(transforms(tmp_path, is_fisheye=True)).cameras[0].projection, Fisheye)
    panorama = load_cameras(transforms(tmp_path, camera_model="EQUIRECTANGULAR"))
    assert isinstance(panorama.cameras[0].projection, Panorama)


def test_what_was_loaded_can_be_rendered(tmp_path):
    views = load_cameras(transforms(tmp_path, {"transform_matrix": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 3]]}))
    assert render(shapes.cube(), views.camera, views.sizes[0]).alpha.sum() > 500


# --- other conventions


def test_llff_names_the_pictures_beside_it_and_its_bounds_are_planes(tmp_path):
    path = llff(tmp_path)
    (tmp_path / "images").mkdir()
    save_image(tmp_path / "images" / "x.png", np.zeros((2, 2, 3)))
    views = load_cameras(path)
    assert views.names == ("x.png",)
    assert views.bounds.tolist() == [[1.5, 7]]
    assert (views.camera.projection.near, views.camera.projection.far) == pytest.approx((1.35, 7.7))
    assert load_cameras(path, near=1).camera.projection.far == 100


def test_rodrigues_vectors_turn_by_the_right_hand(tmp_path):
    turned = load_cameras(npz(tmp_path, R=np.eye(3), rvec=np.array([0, 0, np.pi / 2]))).cameras[0]
    # x to y and y to -x, in a camera whose y points down
    assert turned.project(np.array([[0.19, -0.19, 2]]), SIZE)[0, 0] == pytest.approx(LANDS)


def test_one_k_serves_many_poses(tmp_path):
    turns = np.stack([np.eye(3)] * 3)
    views = load_cameras(npz(tmp_path, R=turns, t=np.arange(9.0).reshape(3, 3, 1), dist=np.full((1, 5), 0.01)))
    assert len(views) == 3
    assert views.cameras[2].viewer(SIZE)[0, :3] == pytest.approx([-6, -7, -8])
    assert views.cameras[2].projection.distortion.tolist() == [0.01] * 5


def test_middlebury_takes_its_size_from_a_picture(tmp_path):
    path = par(tmp_path)
    with pytest.raises(InputError, match=r"says no size of its pictures, and none is there to be asked \(pass size="):
        load_cameras(path)
    save_image(tmp_path / "a b.png", np.zeros((48, 64, 3)))
    views = load_cameras(tmp_path)
    assert (views.sizes, views.names, views.missing) == ((SIZE,), ("a b.png",), ())


# --- round trips


def many_views(projection):
    eyes = orbit(3.0, np.array([10.0, -20, 40, 85]), np.array([0.0, 100, 200, 300]))
    cameras = tuple(Camera(Camera.look_at(eye, (0.1, 0.2, 0.3)).view_from_world, projection) for eye in eyes)
    return Views(cameras, (SIZE,) * 4, ("a.png", "b/c.png", "d.png", "e.png"))


def assert_same(views, expected, exact=True):
    """The same names, sizes and lenses, and poses to some roundings of their inverses and turns."""
    assert views.names == expected.names
    assert views.sizes == expected.sizes
    for got, same in zip(views.cameras, expected.cameras, strict=True):
        assert type(got.projection) is type(same.projection)
        assert np.asarray(got.view_from_world) == pytest.approx(np.asarray(same.view_from_world), abs=1e-14)
        if isinstance(same.projection, Panorama):
            continue
        assert tuple(got.projection.image_size) == SIZE
        assert got.projection.K.tolist() == same.projection.K.tolist()
        distortion, given = (
            np.zeros(12) if x is None else np.pad(x, (0, 12 - len(x)))
            for x in (got.projection.distortion, same.projection.distortion)
        )
        assert distortion.tolist() == given.tolist()


MIDDLE = np.array([[100.0, 0, 31.5], [0, 100, 23.5], [0, 0, 1]])
OFF = np.array([[100.0, 0, 30.25], [0, 110.125, 25.5], [0, 0, 1]])
SKEWED = np.array([[100.0, 3, 30.25], [0, 110.125, 25.5], [0, 0, 1]])
ROUND_TRIPS = {
    "transforms": ("t.json", None, Intrinsics(OFF, SIZE, np.array([0.1, 0.02, 0.003, 0.004, 0.05]))),
    "transforms fisheye": ("t.json", None, Fisheye(OFF, SIZE, np.array([0.1, 0.02, 0.003, 0.004]))),
    "transforms panorama": ("t.json", None, Panorama()),
    "COLMAP": ("c", None, Intrinsics(OFF, SIZE, np.array([0.1, 0.02, 0.003, 0.004, 0.05, 0.06, 0.07, 0.08]))),
    "COLMAP text": ("c", "colmap text", Fisheye(OFF, SIZE, np.array([0.1, 0.02, 0.003, 0.004]))),
    "LLFF": ("poses_bounds.npy", None, Intrinsics(MIDDLE, SIZE)),
    "OpenCV": ("a.npz", None, Intrinsics(SKEWED, SIZE, np.linspace(0.01, 0.02, 12))),
    "OpenCV fisheye": ("a.json", "opencv", Fisheye(SKEWED, SIZE, np.linspace(0.01, 0.02, 4))),
    "Middlebury": ("x_par.txt", None, Intrinsics(SKEWED, SIZE)),
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_a_round_trip_loses_nothing(tmp_path, name):
    file, kind, projection = ROUND_TRIPS[name]
    views = many_views(projection)
    save_cameras(tmp_path / file, views, kind=kind)
    again = load_cameras(tmp_path / file, size=SIZE)
    if name == "LLFF":
        assert again.names == ()  # which the format has no place for
        assert again.bounds.tolist() == [[0.1, 100]] * 4
        again = Views(again.cameras, again.sizes, views.names)
    else:
        assert set(again.missing) == set(views.names)
    assert_same(again, views)


def test_matrices_come_back_as_what_they_project(tmp_path):
    views = many_views(Intrinsics(SKEWED, SIZE))
    save_cameras(tmp_path / "p.txt", views)
    again = load_cameras(tmp_path / "p.txt", size=SIZE)
    assert isinstance(again.cameras[0].projection, RawMatrix)
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (5, 3))
    for got, same in zip(again.cameras, views.cameras, strict=True):
        assert got.clip(points, SIZE) == pytest.approx(same.clip(points, SIZE))


def test_points_and_where_they_are_seen_come_back(tmp_path):
    views = many_views(Intrinsics(MIDDLE, SIZE))
    positions, colors = np.arange(6.0).reshape(2, 3) / 7, np.array([[0, 0.5, 1], [0.25, 0.125, 0.75]])
    seen = tuple(np.array([[k + 0.25, 7.5, 1], [1, 2, -1], [9, 8, 0]])[: k % 4] for k in range(4))
    extra = {"point_colors": np.float32(colors), "point_errors": np.array([0.5, 0.25]), "observations": seen}
    views = Views(views.cameras, views.sizes, views.names, points=positions, **extra)
    for kind in ("colmap", "colmap text"):
        save_cameras(tmp_path / kind, views, kind=kind)
        again = load_cameras(tmp_path / kind)
        assert again.points.tolist() == positions.tolist()
        assert again.point_errors.tolist() == [0.5, 0.25]
        assert [rows.tolist() for rows in again.observations] == [rows.tolist() for rows in seen]
        assert again.point_colors == pytest.approx(colors, abs=0.004)  # 8 bits of sRGB
        save_cameras(tmp_path / f"{kind} again", again, kind=kind)
        for file in (tmp_path / kind).glob("points3D.*"):  # with their tracks
            assert file.read_bytes() == (tmp_path / f"{kind} again" / file.name).read_bytes()
    # number, place, colour, error; image and place in its list, by turns
    assert (tmp_path / "colmap text" / "points3D.txt").read_text().split("\n")[1].split()[7:] == ["0.5", "4", "2"]
    assert (tmp_path / "colmap text" / "points3D.txt").read_text().split("\n")[2].split()[7:] == [
        "0.25", "2", "0", "3", "0", "4", "0"]  # fmt: skip


def test_points_are_known_by_their_numbers(tmp_path):
    image, points = "1 1 0 0 0 0 0 0 1 a.png\n1.5 2.5 70 3 4 -1 5 6 3\n", "70 0 0 0 1 2 3 0\n3 1 1 1 1 2 3 0\n"
    views = load_cameras(colmap_text(tmp_path, image=image, points=points))
    assert views.observations[0].tolist() == [[1.5, 2.5, 0], [3, 4, -1], [5, 6, 1]]
    with pytest.raises(InputError, match=r"images.txt:2: sees point 70, which is not there"):
        load_cameras(colmap_text(tmp_path, image=image, points=points[17:]))


@pytest.mark.parametrize(
    ("file", "kind", "projection", "message"),
    [
        ("t.json", None, Perspective(), "has no place for a Perspective"),
        ("t.json", None, Intrinsics(SKEWED, SIZE), "has no place for the skew of a K (end the name in .npz)"),
        ("c", None, Intrinsics(OFF, SIZE, np.full(12, 0.1)),
         "has no place for a thin prism's distortion (end the name in .npz)"),
        ("t.json", None, Intrinsics(OFF, SIZE, np.full(8, 0.1)),
         "has no place for k4, k5 and k6 of OpenCV's lens (write a folder of COLMAP's)"),
        ("a.npy", None, Intrinsics(OFF, SIZE),
         "has no place for a lens, two focal lengths, or a principal point beside the middle"),
        ("a_par.txt", None, Intrinsics(OFF, SIZE, np.full(5, 0.1)),
         "has no place for a lens' distortion (write a transforms.json)"),
        ("a.txt", None, Panorama(), "has no place for a Panorama or a lens' distortion"),
    ],
)  # fmt: skip
def test_what_a_format_has_no_place_for_is_named(tmp_path, file, kind, projection, message):
    with pytest.raises(InputError) as error:
        save_cameras(tmp_path / file, many_views(projection), kind=kind)
    assert str(error.value) == f"{tmp_path / file}: view 0: {message}"
    assert not (tmp_path / file).exists()


def test_unknown_kinds_are_named(tmp_path):
    with pytest.raises(InputError, match=r"a.yml: is of no known kind \(cv::FileStorage writes .json too"):
        load_cameras(put(tmp_path / "a.yml", "%YAML:1.0"))
    with pytest.raises(InputError, match=r"a.obj: is of no known kind \(transforms.json, a folder of COLMAP's, "):
        load_cameras(put(tmp_path / "a.obj", ""))
    with pytest.raises(InputError, match=r"a.yml: cameras are not written as this kind of file \(end it in .json, "):
        save_cameras(tmp_path / "a.yml", many_views(Panorama()))
    with pytest.raises(ValueError, match=r"^save_cameras: kind must be one of 'transforms', .*; got 'nerf'$"):
        save_cameras(tmp_path / "a.json", many_views(Panorama()), kind="nerf")
    with pytest.raises(ValueError, match=r"^load_cameras: near and far must satisfy 0 < near < far; got 2 and 1$"):
        load_cameras(transforms(tmp_path), near=2, far=1)


# --- files of strangers

IMAGE = "1 1 0 0 0 0 0 0 1 a.png\n\n"
DAMAGED = [
    (lambda f: transforms(f, fl_x=0), "frames[0]: focal lengths must be positive; got 0 and 100"),
    (lambda f: transforms(f, k4=0.1), "frames[0]: k4 must be 0; got 0.1 (OPENCV_FISHEYE has k1 to k4; nothing else "
     "here has a k4 that is not 0)"),
    (lambda f: transforms(f, {"file_path": "../a.png"}), "frames[0]: names a file outside of its folder: "),
    (lambda f: transforms(f, {"transform_matrix": np.zeros((4, 4)).tolist()}),
     "frames[0]: the last row of its pose must be 0 0 0 1; got 0 0 0 0"),
    (lambda f: transforms(f, {"transform_matrix": [[0, 0, 0, 0]] * 3}),
     "frames[0]: its rotation must have an inverse; it flattens space"),
    (lambda f: transforms(f, frames=[]), "has no frames (is it a whole transforms.json?)"),
    (lambda f: transforms(f, w=10**9), "frames[0]: its picture must have from 1 to 1048576 columns and rows; got "),
    (lambda f: colmap_text(f, camera="1 FOV 64 48 1 1 1 1 1"),
     "cameras.txt:2: is of a model that is not known: 'FOV' ("),
    (lambda f: colmap_text(f, camera="1 PINHOLE 64 48 1"), "cameras.txt:2: PINHOLE must have 4 parameters; got 1"),
    (lambda f: colmap_text(f, image="1 1 0 0 0 0 0 0 2 a.png\n"), "images.txt:2: names camera 2, which is not there"),
    (lambda f: colmap_text(f, image="1 0 0 0 0 0 0 0 1 a.png\n"),
     "images.txt:2: its quaternion must be finite and not 0"),
    (lambda f: colmap_text(f, image="1 nan 0 0 0 0 0 0 1 a.png\n"),
     "images.txt:2: a pose must be finite numbers; got "),
    (lambda f: colmap_text(f, points="1 0 0 0 256 0 0 0"),
     "points3D.txt:1: a colour must be a whole number from 0 to 255"),
    (lambda f: npz(f, K=np.zeros((3, 3))), "view 0: K must have an inverse; it flattens space"),
    (lambda f: npz(f, K=np.eye(2)), "K must be [3, 3], or a row of such; got [2, 2]"),
    (lambda f: npz(f, t=np.zeros((2, 3)), R=np.stack([np.eye(3)] * 3)),
     "K, R, t and distortion must be 1 or as many each; got 1, 3, 2"),
    (lambda f: npz(f, K=np.array([None])), "K: has a header that is not known: "),
    (lambda f: put(f / "a.json", '{"K": {"rows": 3, "cols": 3}}'), "K: a matrix must have data"),
    (lambda f: put(f / "a_par.txt", "2\na.png 1\n"), "a_par.txt:1: declares 2 pictures; got 1"),
    (lambda f: put(f / "a.txt", "1 2 3 4\n1 2 3\n"), "a.txt:2: a line must have 4 or 12 numbers; got 3 words"),
    (lambda f: put(f / "a.txt", "1 2 3 4\n" * 3), "matrix 0: must be 3 x 4 finite numbers that do not flatten space"),
    (lambda f: put(f / "a.npy", "\x93NUMPY"), "is no .npy file (was it written by numpy.save, without pickle?)"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), DAMAGED)
def test_a_damaged_file_is_named(tmp_path, make, message):
    with pytest.raises(InputError) as error:
        load_cameras(make(tmp_path), size=SIZE)
    assert message in str(error.value)
    assert str(error.value).startswith(str(tmp_path))


def test_a_binary_of_colmaps_that_ends_early_is_named(tmp_path):
    colmap_binary(tmp_path)
    for name in ("cameras", "images", "points3D"):
        whole = (tmp_path / f"{name}.bin").read_bytes()
        for count in range(len(whole)):
            (tmp_path / f"{name}.bin").write_bytes(whole[:count])
            with pytest.raises(InputError, match=rf"{name}.bin: byte \d+: ends (too early|within a name) \("):
                load_cameras(tmp_path)
        (tmp_path / f"{name}.bin").write_bytes(whole)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", K=np.zeros((1 << 13, 1 << 11)))
    with pytest.raises(InputError, match=r"a.npz: unpacks to too much \(max_ratio is 1\)"):
        load_cameras(tmp_path / "a.npz", limits=Limits(max_ratio=1))


def test_a_file_that_is_too_large_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"transforms.json: is too large: \d+ bytes \(max_bytes is 100\)"):
        load_cameras(transforms(tmp_path), limits=Limits(max_bytes=100))


@pytest.mark.parametrize("shape", ["0, " + "9" * 100, "0, 9223372036854775807", "0, 4611686018427387904, 4"])
def test_an_axis_beyond_all_numbers_is_named_beside_an_empty_one(tmp_path, shape):
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}".encode()
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head)
    with pytest.raises(InputError, match=r"a.npy: declares an axis of \d+ \(was it written by"):
        load_cameras(tmp_path / "a.npy", size=SIZE)
