# SPDX-License-Identifier: MIT
"""The package's docstrings, as sections that Sphinx's napoleon knows.

The ops list their arrays first, at the margin, as "name: [shape], what it is"; named tuples their fields likewise. Both
become sections, and everything else is as napoleon has it.
"""

import re

FIELD = re.compile(r"([a-z]\w*(?:, [a-z]\w*)*): \S")  # a name of literature begins with a capital
SECTIONS = ("Args", "Other arguments", "Returns", "Raises", "Example")


def with_sections(lines: list[str], section: str) -> list[str]:
    """The lines of a docstring, with fields at the margin gathered under `section`, or the heading above them."""
    lines = [re.sub(r"^([A-Z])\. ", r"\1\\. ", line) for line in lines]  # M. Newell is no item of a list
    found, number = [], 0
    heading = None  # whose fields stand at the margin
    while number < len(lines):
        line = lines[number]
        if line.rstrip() == "Other arguments:" and number + 1 < len(lines) and FIELD.match(lines[number + 1]):
            heading, number = "Other arguments", number + 1
            continue
        within_paragraph = number > 0 and lines[number - 1].strip() and heading is None
        if not FIELD.match(line) or within_paragraph or line.split(":")[0] in SECTIONS:
            found.append(line)
            number += 1
            continue
        fields = []
        while number < len(lines) and (FIELD.match(lines[number]) or lines[number].startswith("    ")):
            fields.append("    " + lines[number])
            number += 1
        found += ["", f"{heading or section}:", *fields, ""]
        heading = None
    return found


def setup(app):
    def changed(app, kind, name, thing, options, lines):
        is_tuple = kind == "class" and issubclass(thing, tuple)
        lines[:] = with_sections(lines, "Attributes" if is_tuple else "Args")

    app.connect("autodoc-process-docstring", changed, priority=400)  # before napoleon
