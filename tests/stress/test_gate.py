"""The gate of the handles, without any GIL: its C code under threads of C and ThreadSanitizer.

What is asserted is in gate_threads.c. That it can fail is shown with copies of cdefs/handle.c that
have one mistake each.
"""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent
CDEFS = HERE.parent.parent / "cdefs"

pytestmark = pytest.mark.skipif(
    platform.python_implementation() == "PyPy", reason="no Python is in it: once is enough"
)

WATCHED = ["-fsanitize=thread", "-g", "-O1"]


class Mistake(NamedTuple):
    what: str
    text: str
    instead: str


MISTAKES = [
    Mistake("lets calls in that come late", "if (uses & SHUT) {", "if (0) {"),
    Mistake(
        "looks before it is counted",
        "uses = __atomic_add_fetch(&handle->uses, 1, __ATOMIC_SEQ_CST);",
        "uses = __atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST); sched_yield();"
        " __atomic_add_fetch(&handle->uses, 1, __ATOMIC_SEQ_CST);",
    ),
    Mistake(
        "destroys while somebody is inside",
        "if (!(uses & SHUT) || COUNT(uses) != 0)\n        return NULL;",
        "if (!(uses & SHUT))\n        return NULL;",
    ),
    Mistake(
        "destroys twice",
        "return __atomic_exchange_n(&handle->raw, NULL, __ATOMIC_SEQ_CST);",
        "return __atomic_load_n(&handle->raw, __ATOMIC_SEQ_CST);",
    ),
    Mistake(
        "does not wait to be alone",
        "(inside = COUNT(__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST))) > 1",
        "(inside = 1) > 1",
    ),
    Mistake(
        "lets newcomers in beside one who is alone",
        "if (!(uses & PAUSED) || rbdcffi_handle_entered(handle))",
        "if (1)",
    ),
    Mistake(
        "gives the turn to two",
        "(shared ? handle->turn >= 0 : handle->turn == 0)",
        "(shared ? handle->turn >= 0 : 1)",
    ),
    Mistake(
        "counts with plain arithmetic",
        "int64_t left = __atomic_sub_fetch(&handle->uses, 1, __ATOMIC_SEQ_CST);",
        "int64_t left = --*(volatile int64_t *)&handle->uses;",
    ),
    Mistake(
        "touches the gate after leaving it",
        "        pthread_cond_broadcast(&drain_done);\n"
        "        pthread_mutex_unlock(&drain_lock);\n    }\n}\n\n/* In how many",
        "        pthread_cond_broadcast(&drain_done);\n"
        "        pthread_mutex_unlock(&drain_lock);\n    }\n    sched_yield();\n"
        "    if (handle->kind > 1000) abort();\n}\n\n/* In how many",
    ),
    Mistake("calls itself the first twice", "int first = !(", "int first = 1 | !("),
]


def build(directory: Path, options: list[str], mistake: Mistake | None = None) -> Path:
    text = (CDEFS / "handle.c").read_text(encoding="utf-8")
    if mistake is not None:
        assert mistake.text in text, f"cdefs/handle.c has no more: {mistake.text}"
        text = text.replace(mistake.text, mistake.instead, 1)
    (directory / "handle.c").write_text(text, encoding="utf-8")
    program = directory / "gate_threads"
    source = HERE / "gate_threads.c"
    command = ["cc", *options, "-pthread", "-I", str(directory), "-o", str(program), str(source)]
    subprocess.run(command, check=True)
    return program


def run(program: Path, rounds: int) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1"}
    command = [str(program), str(rounds)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=environment
    )


def test_the_gate_under_threads(tmp_path: Path) -> None:
    done = run(build(tmp_path, WATCHED), 150)
    if "FATAL: ThreadSanitizer" in done.stderr:
        # it needs an arrangement of memory that some kernels do not give it
        done = run(build(tmp_path, ["-O2"]), 1500)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    assert done.stdout.startswith("ok 150"), done.stdout


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_it_finds(tmp_path: Path, mistake: Mistake) -> None:
    program = build(tmp_path, WATCHED, mistake)
    done = run(program, 150)
    if "FATAL: ThreadSanitizer" in done.stderr:
        pytest.skip("ThreadSanitizer does not run on this kernel")
    assert done.returncode != 0, f"a gate that {mistake.what} went unnoticed"
