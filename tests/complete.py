# SPDX-License-Identifier: MIT
"""A run is complete, or it fails: no test is skipped or expected to fail, and a whole run has met every framework."""

from collections.abc import Iterable

import pytest

FRAMEWORKS = ("torch", "paddle", "jax")
FEWEST = 40  # tests of each, by what stands in their brackets; about as many as there are ops and scene functions
SKIPS = ("skipped", "xfailed", "xpassed")  # as pytest has them


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
    skipped = [report for kind in SKIPS for report in reporter.stats.get(kind, [])]
    passed = [report.nodeid for report in reporter.stats.get("passed", [])]
    config = session.config
    is_part = config.args != config.getini("testpaths") or config.option.collectonly or "deselected" in reporter.stats
    lacks = missing(len(skipped), passed, exitstatus == 0 and not is_part)
    for lack in lacks:
        reporter.write_line(f"\nINCOMPLETE: {lack}", red=True)
    if lacks and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
