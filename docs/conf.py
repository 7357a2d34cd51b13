# SPDX-License-Identifier: MIT
"""The manual: `make docs` builds it into build/docs, and any warning is an error."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import docstrings

import intaglio

project = "intaglio"
author = copyright = "the authors of intaglio"
release = version = intaglio.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.autosectionlabel"]
exclude_patterns = ["requirements.txt"]
default_role = "py:obj"  # `silhouette` in a docstring links to it where there is such a thing
suppress_warnings = ["autosectionlabel.*"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_ivar = True
autodoc_typehints = "none"  # arrays of four frameworks are `Any`; the text says what they are
autodoc_class_signature = "mixed"
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Other arguments", "params_style")]

html_theme = "furo"
html_title = f"intaglio {version}"
html_static_path = ["style"]
html_css_files = ["page.css"]
html_theme_options = {"navigation_with_keys": True}
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"


def setup(app):
    docstrings.setup(app)
