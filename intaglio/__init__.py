# SPDX-License-Identifier: MIT
"""intaglio: a differentiable mesh renderer."""
