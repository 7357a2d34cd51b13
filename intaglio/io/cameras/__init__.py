# SPDX-License-Identifier: MIT
"""Cameras in and out, as calibrations and reconstructions have them."""

from .files import load_cameras, save_cameras
from .views import Views

__all__ = ["Views", "load_cameras", "save_cameras"]
