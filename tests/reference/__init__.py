# SPDX-License-Identifier: MIT
"""An independent renderer in plain NumPy float64: slow, short, and derived from the papers, not from the native code.

raster     who covers a pixel, and with which weights     Olano & Greer 1997; the fixed-point grid of the conventions
shade      interpolation, textures, face textures
edges      the exact derivative of box-filtered images    line integral along silhouette edges
walk       the surface walk of `edge_gradient`, one pair of pixels at a time
sweep      Kato, Ushiku & Harada 2018, backward pass
soft       Liu et al. 2019 (SoftRas)
derivative central differences and the complex step
scenes     meshes and random scenes that the tests share
"""
