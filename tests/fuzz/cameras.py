# SPDX-License-Identifier: MIT
"""The readers of cameras: sound files of each kind, and how a changed one is read among them."""

import json

import numpy as np

from intaglio import load_cameras, orbit, save_cameras
from intaglio.camera import Camera, Fisheye, Intrinsics
from intaglio.io.cameras import Views

__all__ = ["CAMERA_FILES", "camera_seeds", "read_cameras"]

SIZE = (3, 2)
# What a target's input is called, in a folder of its own that holds the sound files beside it.
CAMERA_FILES = {
    "transforms": "transforms/transforms.json",
    "colmap-cameras-text": "text-cameras/cameras.txt",
    "colmap-images-text": "text-images/images.txt",
    "colmap-points-text": "text-points/points3D.txt",
    "colmap-cameras": "cameras/cameras.bin",
    "colmap-images": "images/images.bin",
    "colmap-points": "points/points3D.bin",
    "llff": "llff/poses_bounds.npy",
    "opencv-npz": "npz/a.npz",
    "opencv-json": "json/opencv.json",
    "middlebury": "middlebury/a_par.txt",
    "matrices": "matrices/a.txt",
}


def views_of(*projections):
    eyes = orbit(3.0, np.linspace(-40, 40, len(projections)), np.linspace(0, 200, len(projections)))
    cameras = tuple(
        Camera(Camera.look_at(eye).view_from_world, lens) for eye, lens in zip(eyes, projections, strict=True)
    )
    seen = tuple(np.array([[0.5, k, 1], [1, 2, -1]]) for k in range(len(projections)))
    names = tuple(f"p {k}.png" for k in range(len(projections)))
    return Views(cameras, (SIZE,) * len(cameras), names, points=np.arange(6.0).reshape(2, 3), observations=seen)


def camera_seeds(folder):
    """The sound files by target; what they refer to is left in `folder`."""
    middle, off = np.array([[9.0, 0, 0.5], [0, 9, 1], [0, 0, 1]]), np.array([[9.0, 0, 0.25], [0, 8, 1.5], [0, 0, 1]])
    bends = np.array([0.1, 0.02, 0.003, 0.004, 0.05, 0.06, 0.07, 0.08])
    lenses = Intrinsics(middle, SIZE), Intrinsics(off, SIZE, bends[:5]), Fisheye(off, SIZE, bends[:4])
    every, plain = views_of(*lenses, Intrinsics(off, SIZE, bends)), views_of(lenses[0], lenses[0])
    for file in CAMERA_FILES.values():
        (folder / file).parent.mkdir(exist_ok=True)
    for name in ("cameras", "images", "points"):
        save_cameras(folder / name, every)
        save_cameras(folder / f"text-{name}", every, kind="colmap text")
    save_cameras(folder / "transforms" / "transforms.json", views_of(*lenses))
    save_cameras(folder / "llff" / "poses_bounds.npy", plain)
    save_cameras(folder / "npz" / "a.npz", views_of(*lenses[:2]))
    save_cameras(folder / "json" / "opencv.json", views_of(lenses[2]), kind="opencv")
    save_cameras(folder / "middlebury" / "a_par.txt", plain)
    save_cameras(folder / "matrices" / "a.txt", plain)
    seeds = {target: [(folder / file).read_bytes()] for target, file in CAMERA_FILES.items()}
    np.savez_compressed(
        folder / "packed.npz", K=middle, rvec=np.ones(3), T=np.ones((3, 1)), image_width=2, image_height=3
    )
    seeds["opencv-npz"].append((folder / "packed.npz").read_bytes())
    matrix = {"type_id": "opencv-matrix", "rows": 3, "cols": 3, "dt": "d", "data": middle.ravel().tolist()}
    fields = {"camera_matrix": matrix, "tvec": [0, 0, 0], "rvec": [[0, 1, 0]], "image_width": 64, "image_height": 48}
    seeds["opencv-json"].append(json.dumps(fields).encode())
    frame = {"file_path": "a", "transform_matrix": np.eye(4).tolist()}
    around = {**frame, "mask_path": "m.png", "camera_model": "EQUIRECTANGULAR", "fl_x": 9, "w": 2, "h": 3.0}
    seeds["transforms"].append(json.dumps({"camera_angle_x": 1, "k1": 0.1, "frames": [frame, around]}).encode())
    return seeds


def read_cameras(path, limits):
    """Read it, and look through what it holds."""
    views = load_cameras(path, size=SIZE, limits=limits)
    for camera in views.cameras[-1:]:
        with np.errstate(all="ignore"):  # numbers may be as large as there are
            assert camera.project(np.zeros((1, 3)), SIZE).shape == (1, 1, 2)
