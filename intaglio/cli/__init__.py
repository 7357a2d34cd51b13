# SPDX-License-Identifier: MIT
"""The command line: `intaglio render`, `fit shape|texture|camera`, `demo`, `info`, `convert`, `validate`, `doctor`.

What goes wrong is one line on standard error and exit code 2; Ctrl-C keeps what there is and exits with 130.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .arguments import parse
from .progress import Stop

__all__ = ["main"]

FAILED, STOPPED, CUT_OFF = 2, 130, 141  # 128 + SIGINT and 128 + SIGPIPE, as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program that `arguments` (sys.argv's by default) name; returns the exit code."""
    try:
        options = parse(arguments)
        with Stop() as stop:
            options.program(options, stop)
            sys.stdout.flush()
    except BrokenPipeError:  # who reads has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CUT_OFF
    except (ValueError, MemoryError) as error:
        print(f"intaglio: {str(error) or 'not enough memory (try a smaller --size)'}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("intaglio: stopped at once; what was being written is gone", file=sys.stderr)
        return STOPPED
    return STOPPED if stop.requested else 0
