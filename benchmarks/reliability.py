"""What the standard binding does when things go wrong, and what rbdcffi does: side by side.

    scripts/bench reliability [--only TEXT] [--write]

Each case is one program, written for the standard modules. It runs twice, each time in a process
of its own on a cluster of its own that is hurt at the same step: with Ceph's modules, and by
``python -m rbdcffi.dropin``. What each call says, and after how long, and how the process ends,
becomes a row; ``--write`` puts the table into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from trouble import CASES, END, PRELUDE, Case

from rbdcffi.testing import Cluster

ROOT = Path(__file__).parent.parent
#: Seconds without a word after which a program is taken for one that hangs.
SILENCE = 45.0
#: How many programs run at a time: they wait more than they compute.
AT_ONCE = 4


@dataclass
class Row:
    case: str
    call: str
    standard: str = ""
    ours: str = ""


def run(case: Case, command: Sequence[str]) -> list[tuple[str, str]]:
    """[(call, what it said)]; of several times, all that was said."""
    with Cluster(**case.options) as own:
        if case.user is not None:
            own.run("rbd", "create", "--size", "1M", "data")
            own.add_client("limited", case.user)
        said: dict[str, list[str]] = {}
        for name in ["image", *(f"image-{i}-" for i in range(1, case.times))]:
            for call, outcome in run_once(case, [*command, own.conf, name], own):
                said.setdefault(call, []).append(outcome)
    return [(call, counted(outcomes)) for call, outcomes in said.items()]


def counted(outcomes: Sequence[str]) -> str:
    if len(set(outcomes)) == 1:
        return outcomes[0]
    counts = sorted(Counter(outcomes).items(), key=lambda item: -item[1])
    return ", ".join(f"{count} times {outcome}" for outcome, count in counts)


def run_once(case: Case, command: Sequence[str], own: Cluster) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    process = subprocess.Popen(
        command,
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
        text=True,
        env={**os.environ, **case.environment},
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))  # type: ignore[union-attr]
    reader.start()
    hanging = threading.Event()

    def too_long() -> None:
        hanging.set()
        process.kill()

    call = ""
    hurts = iter(case.hurts)
    timer = threading.Timer(SILENCE, too_long)
    timer.start()
    for line in process.stdout:
        timer.cancel()
        word, _, rest = line.rstrip().partition(" ")
        if word == "CALL":
            call = rest
        elif word == "SAID":
            said.append((call, rest))
            call = ""
        elif word == "HURT":
            next(hurts)(own)
            process.stdin.write("\n")
            process.stdin.flush()
        timer = threading.Timer(SILENCE, too_long)
        timer.start()
    code = process.wait()
    timer.cancel()
    for osd in own.osds:
        osd.resume()
    reader.join()
    if hanging.is_set():
        said.append((call or case.end or END, "**hangs**"))
    elif call or (code < 0 and code != -signal.SIGINT):
        said.append((call or case.end or END, f"**the process dies ({code})**"))
    elif case.end:
        told = "closed unflushed" in errors[0] or "leaving it open" in errors[0]
        said.append((case.end, f"exit code {code}" + (", with a message" if told else "")))
    if "-v" in sys.argv:
        print(case.name, command[0], code, errors[0][-1500:], file=sys.stderr)
    return said


def side_by_side(case: Case, directory: str) -> list[Row]:
    program = Path(directory) / f"{abs(hash(case.name + case.text))}.py"
    program.write_text(PRELUDE + case.prelude + textwrap.dedent(case.text))
    ours = [sys.executable, "-m", "rbdcffi.dropin", str(program)]
    rows: dict[str, Row] = {}
    for side, command in (("standard", ["/usr/bin/python3", str(program)]), ("ours", ours)):
        for call, outcome in run(case, command):
            setattr(rows.setdefault(call, Row(case.name, call)), side, outcome)
    return list(rows.values())


def table(rows: Sequence[Row]) -> str:
    lines = ["| case | call | standard | rbdcffi |", "|---|---|---|---|"]
    before = ""
    for row in rows:
        name = "" if row.case == before else row.case
        lines.append(f"| {name} | {row.call} | {row.standard} | {row.ours} |")
        before = row.case
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with this in the name")
    parser.add_argument("--write", action="store_true", help="into docs/reliability.md")
    parser.add_argument("-v", "--verbose", action="store_true", help="what they say on stderr")
    arguments = parser.parse_args()
    chosen = [case for case in CASES if arguments.only in case.name]
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(AT_ONCE) as pool:
        rows = []
        for found in pool.map(lambda case: side_by_side(case, directory), chosen):
            print("\n".join(table(found).split("\n")[2:]), flush=True)
            rows += found
    if arguments.write:
        page = ROOT / "docs" / "reliability.md"
        begin, end = "<!-- benchmarks/reliability.py -->\n", "<!-- end -->"
        head, _, rest = page.read_text().partition(begin)
        page.write_text(f"{head}{begin}{table(rows)}\n{end}{rest.partition(end)[2]}")


if __name__ == "__main__":
    main()
