# SPDX-License-Identifier: MIT
"""What the native module offers and how it differentiates. All of it together: `everything`."""
