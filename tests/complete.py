# SPDX-License-Identifier: MIT
"""A run is complete, or it fails: no test is skipped or expected to fail, and the whole suite has met every framework."""

from collections.abc import Iterable

import pytest

FRAMEWORKS = ("torch", "paddle")
FEWEST = 50  # tests of each, whose names end in it; there are well over a hundred
KINDS = (("skipped", "xfailed", "xpassed"), ("passed",))  # as pytest has them


def missing(skipped: int, passed: Iterable[str], is_whole: bool) -> list[str]:
    """What a run lacks; `passed` are the names of tests."""
    found = [f"{skipped} tests were skipped or expected to fail"] if skipped else []
    names = list(passed)
    for framework in FRAMEWORKS if is_whole else ():
        count = sum(framework in name.partition("[")[2].rstrip("]").split("-") for name in names)
        if count < FEWEST:
            found.append(f"{count} tests of {framework} passed, fewer than {FEWEST}")
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped, passed = (sum((reporter.stats.get(kind, []) for kind in kinds), []) for kinds in KINDS)
    options = session.config.option
    is_whole = exitstatus == 0 and session.config.args == session.config.getini("testpaths") and not options.keyword
    lacks = missing(len(skipped), (report.nodeid for report in passed), is_whole and not options.collectonly)
    for lack in lacks:
        reporter.write_line(f"\nINCOMPLETE: {lack}", red=True)
    if lacks and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
