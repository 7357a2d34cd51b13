# SPDX-License-Identifier: MIT
"""`python -m intaglio` is `intaglio`."""

import sys

from .cli import main

sys.exit(main())
