# SPDX-License-Identifier: MIT
"""Panoramas made from a few numbers, for `EnvironmentLight`: [H, W, 3] float32, linear, row 0 up, suns far above 1."""

from __future__ import annotations

import numpy as np

__all__ = ["noon", "studio", "sunset"]

Color = tuple[float, float, float]


def noon(height: int = 256) -> np.ndarray:
    """A clear sky around a high sun, over grass."""
    sky = _sky(height, zenith=(0.16, 0.34, 0.85), horizon=(0.75, 0.85, 0.95), ground=(0.12, 0.15, 0.06))
    sun = (0.5, 0.85, -0.35)
    return sky + _glow(height, sun, 5.0, (60.0, 55.0, 45.0)) + _glow(height, sun, 30.0, (0.5, 0.45, 0.35))


def sunset(height: int = 256) -> np.ndarray:
    """A red sun on the horizon under a violet sky, over dark water."""
    sky = _sky(height, zenith=(0.05, 0.06, 0.2), horizon=(0.9, 0.35, 0.16), ground=(0.05, 0.03, 0.05))
    sun = (0.75, 0.12, -0.7)
    return sky + _glow(height, sun, 5.0, (45.0, 18.0, 6.0)) + _glow(height, sun, 35.0, (1.4, 0.45, 0.1))


def studio(height: int = 256) -> np.ndarray:
    """A dark room with three soft boxes: a large one on the left, a strip on the right, one above."""
    room = _sky(height, zenith=(0.06, 0.06, 0.065), horizon=(0.1, 0.1, 0.105), ground=(0.05, 0.047, 0.045))
    boxes = ((-75, 15, 50, 60, (9.0, 8.8, 8.4)), (80, 5, 14, 90, (7.0, 7.6, 8.6)), (10, 75, 120, 24, (3.5, 3.5, 3.5)))
    for azimuth, elevation, width, tall, color in boxes:
        room = room + _box(height, azimuth, elevation, width, tall, color)
    return room.astype(np.float32)


def _angles(height: int) -> tuple[np.ndarray, np.ndarray]:
    """[H, 1] elevation and [1, 2 H] azimuth of the pixels' middles, degrees; azimuth 0 ahead, 90 to the right."""
    elevation = 90 - (np.arange(height)[:, None] + 0.5) / height * 180
    return elevation, ((np.arange(2 * height)[None] + 0.5) / (2 * height) - 0.5) * 360


def _sky(height: int, zenith: Color, horizon: Color, ground: Color) -> np.ndarray:
    """A gradient from the zenith down to the horizon, and a ground that fades into it."""
    up = np.sin(np.radians(_angles(height)[0]))[..., None]
    above = np.array(horizon) + (np.array(zenith) - horizon) * np.clip(up, 0, 1) ** 0.5
    below = np.array(horizon) + (np.array(ground) - horizon) * np.clip(-up * 8, 0, 1) ** 0.5
    return np.broadcast_to(np.where(up > 0, above, below), (height, 2 * height, 3)).astype(np.float32)


def _glow(height: int, towards: Color, degrees: float, color: Color) -> np.ndarray:
    """A round light whose brightness falls to 1 / e at so many degrees from its middle."""
    elevation, azimuth = (np.radians(x) for x in _angles(height))
    level = np.cos(elevation)
    place = (level * np.sin(azimuth), np.sin(elevation) + 0 * azimuth, -level * np.cos(azimuth))
    cosine = sum(x * y for x, y in zip(place, np.array(towards) / np.linalg.norm(towards), strict=True))
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return (np.exp(-((angle / degrees) ** 2))[..., None] * np.array(color)).astype(np.float32)


def _box(height: int, azimuth: float, elevation: float, width: float, tall: float, color: Color) -> np.ndarray:
    """A light from `width` times `tall` degrees, its border soft over two."""
    up, around = _angles(height)
    across = np.abs((around - azimuth + 180) % 360 - 180)
    inside = np.clip((width / 2 - across) / 2 + 0.5, 0, 1) * np.clip(
        (tall / 2 - np.abs(up - elevation)) / 2 + 0.5, 0, 1
    )
    return inside[..., None] * np.array(color)
