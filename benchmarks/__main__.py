# SPDX-License-Identifier: MIT
"""`python -m benchmarks`: every question in one run, answers and goals into RESULTS.md."""

import importlib
import sys
import time
from pathlib import Path

from . import gpu
from .report import Section, claims_table, machine, table

QUESTIONS = (
    "gains",
    "forward",
    "silhouette",
    "textured",
    "pbr",
    "dense",
    "packs",
    "threads",
    "growth",
    "overhead",
    "imports",
    "neural_renderer",
    "programs",
)
HOW_TO_READ = """\
Times are medians over rounds, quartiles in brackets. In a round the contestants take turns, each with a burst of calls
of which the median counts; ratios are medians of the rounds' own ratios, so that a busy machine disturbs both sides
alike. Read the ratios; the milliseconds belong to this machine."""
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    missing = missing_peers()
    if missing:
        print("\n".join(missing), file=sys.stderr)
        return 2
    before = [*machine(), *peers()]
    sections = []
    for question in QUESTIONS:
        start = time.perf_counter()
        sections.append(importlib.import_module(f"benchmarks.{question}").measure())
        print(sections[-1].markdown, flush=True)
        print(f"({question}: {time.perf_counter() - start:.0f} s)\n", flush=True)
    write_results(sections, before)
    return 0


def missing_peers() -> list[str]:
    """One line for each other renderer that can't be loaded, saying what to install."""
    from .peers import bare_loop, deodr_silhouette, llvmpipe

    missing = []
    for peer in (llvmpipe, deodr_silhouette, bare_loop):
        try:
            peer.check()
        except RuntimeError as error:
            missing.append(str(error))
    return missing


def peers() -> list[tuple[str, str]]:
    from .peers import bare_loop, llvmpipe

    return [("llvmpipe", f"{llvmpipe.version()}, LP_NUM_THREADS=0"), ("bare loop", " ".join(bare_loop.COMMAND))]


def without_gpu() -> str:
    """What RESULTS.md says before the part that `make bench-cuda` writes."""
    return RESULTS.read_text(encoding="utf-8").partition(f"\n{gpu.PART}\n")[0].rstrip()


def of_gpu() -> str:
    """That part, which stays as it is."""
    return gpu.PART + "\n" + RESULTS.read_text(encoding="utf-8").partition(f"\n{gpu.PART}\n")[2].rstrip()


def write_results(sections: list[Section], before: list[tuple[str, str]]) -> None:
    claims = [claim for section in sections for claim in section.claims]
    missed = [claim for claim in claims if not claim.reaches(claim.must)]
    verdict = claims_table(missed) if missed else "Nowhere: every goal below is reached."
    text = "\n\n".join(
        [
            "# Speed\n\nWritten by `make bench` (`python -m benchmarks`), one script per question, all in one run.",
            HOW_TO_READ,
            table(("", ""), before),
            f"## Where we fall short: {len(missed)} of {len(claims)} goals\n\n{verdict}",
            *(section.markdown for section in sections),
            of_gpu(),
        ]
    )
    RESULTS.write_text(text.rstrip() + "\n", encoding="utf-8")
    print(f"{RESULTS}: {len(claims) - len(missed)} of {len(claims)} goals reached")


if __name__ == "__main__":
    sys.exit(main())
