# SPDX-License-Identifier: MIT
"""What the README shows is run as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_readme_says() -> None:
    code, printed = re.search(r"```python\n(.*?)```\n\nIt prints `(.*?)`", README, re.S).groups()
    assert code.count("\n") <= 14
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == printed + "\n"


def test_every_file_that_the_readme_names_exists() -> None:
    named = re.findall(r"\]\((?!http)([\w/.-]+)\)", README)
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_target_that_the_readme_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"`?make (\w+)", README))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"demo", "test", "lint", "sanitize", "bench"} <= targets
    assert [target for target in targets if f"\n{target}:" not in makefile] == []
