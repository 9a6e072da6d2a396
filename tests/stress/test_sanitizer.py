"""The C helpers under AddressSanitizer and UBSan: a program that drives all of them from many
threads (all_helpers.py), and programs that end with everything in flight.

The compiled module is built once more, with the compiler's sanitizers, into a directory of its own.
The libraries of Ceph are as they are: what is noticed is wrong use of memory by our C, by functions
of the C library that anybody calls, and of memory that Python lends to C, which is malloc's here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from programs import PRELUDE

import rbdcffi
from rbdcffi.testing import Cluster

pytestmark = [
    pytest.mark.skipif(
        sys.implementation.name != "cpython",
        reason="the helpers are the same C on PyPy, whose own memory is not malloc's",
    ),
    # the reads beside compare_and_write that the soak avoids there may be why
    pytest.mark.not_on_ceph(14, reason="the driver was not done after two minutes"),
]

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    *("-shared", "-fPIC", "-O0", "-g1", "-w", "-fno-omit-frame-pointer"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"),
]
#: The exit code after a report, and what one of leaks has in it.
FOUND = 99
LEAKS = "LeakSanitizer: detected memory leaks"
#: Seconds that the driver makes new calls for.
SECONDS = 3

#: What nobody calls here: after a fork (a child leaves no record), at an exit that leaves something
#: behind, when a cluster does not take what is written, and what some releases of Ceph do not have.
NEVER = frozenset(
    {
        "rbdcffi_after_fork",
        "notices_after_fork",
        "object_cancel_after_fork",
        "watches_after_fork",
        "leave_at_once",
        "image_is_idle",
        "rbdcffi_family_fsid",
        "rbdcffi_handle_destroyed",
        "rbdcffi_unflushed",
        "rbdcffi_forget_operations",
        "rbdcffi_end_callbacks",
        "rbdcffi_alone_patience",
        "rbdcffi_turn_patience",
        "rbdcffi_aio_compare_and_writev",
        "rbdcffi_aio_write_with_crc32c",
        "rbdcffi_aio_mirror_image_create_snapshot",
        "rbdcffi_aio_mirror_image_get_global_status",
        "rbdcffi_aio_mirror_image_get_mode",
        "rbdcffi_aio_mirror_image_get_status",
        "rbdcffi_compare_and_writev",
        "rbdcffi_mirror_global_status_cleanup",
        "rbdcffi_mirror_status_cleanup",
        "rbdcffi_object_stat2",
        "rbdcffi_snap_get_timestamp",
        "rbdcffi_thread_is_in_hook",
        "rbdcffi_write_with_crc32c",
        "watch_answer",
        "watch_owing",
        "watch_quiesce",
        "watch_takes_over",
        "watch_unquiesce",
    }
)

#: {what is wrong: (C text, what it becomes when $PLANTED names it, task that runs it, the report)}
PLANTED = {
    "use after free": (
        "        struct operation *next = taken->next;\n\n        free(taken);\n",
        "        struct operation *next = taken->next;\n\n        free(taken);\n"
        '        if (planted("use after free"))\n            next = taken->next;\n',
        "completions",
        r"heap-use-after-free.*rbdcffi_queue_drain",
    ),
    "behind the end": (
        "    if (result >= 0 && io->output != NULL) {\n        result = -ERANGE;\n"
        "        if (io->output_length <= io->capacity) {",
        "    if (result >= 0 && io->output != NULL) {\n        result = -ERANGE;\n"
        '        if (io->output_length <= io->capacity || planted("behind the end")) {',
        "objects",
        r"heap-buffer-overflow.*take_output",
    ),
    "read behind the end": (
        "    for (; length; length--, at++)\n",
        '    for (length += planted("read behind the end"); length; length--, at++)\n',
        "checksums",
        r"heap-buffer-overflow.*rbdcffi_crc32c",
    ),
    "undefined": (
        "    uint32_t crc = 0xFFFFFFFF;\n",
        '    uint32_t crc = 0xFFFFFFFF;\n    if (planted("undefined"))\n'
        "        crc >>= 32 + length;\n",
        "checksums",
        r"runtime error: shift exponent",
    ),
    "never freed": (
        "void rbdcffi_notice_free(struct rbdcffi_notice *notice)\n{\n",
        "void rbdcffi_notice_free(struct rbdcffi_notice *notice)\n{\n"
        '    if (planted("never freed"))\n        return;\n',
        "notifications",
        r"leak of .*notice_new",
    ),
}

#: Programs that end with everything in flight, and how.
ENDS = {
    "in flight": (
        """
        def use():
            while True:
                image.read(0, MIB)
                list(image.diff(0, MIB, None))
        for _ in range(3):
            threading.Thread(target=use, daemon=True).start()
        watch = image.update_watch(print)
        other = ioctx.watch(NAME, print)
        image.diff_left = image.diff(0, 4 * MIB, None)
        next(image.diff_left)
        for i in range(300):
            image.aio_write(b"y" * 4096, i * 4096, lambda completion: None)
            image.aio_read(0, 4096, lambda completion, data: None)
            ioctx.aio_write_full(NAME, b"y" * 4096, lambda completion: None)
            ioctx.aio_execute(NAME, "hello", "say_hello", b"", oncomplete=lambda *args: None)
        sys.exit(3)
        """,
        3,
    ),
    "in an event loop": (
        """
        async def main():
            async with aio.Rados(conffile=CONF) as cluster, cluster.open_ioctx("rbd") as ioctx:
                async with aio.Image(ioctx, NAME) as image:
                    async def use(number):
                        while True:
                            await image.write(b"x" * 4096, number * 4096)
                            await ioctx.write_full(NAME, b"x")
                    async with anyio.create_task_group() as group:
                        for number in range(100):
                            group.start_soon(use, number)
                        await anyio.sleep(0.1)
                        os.write(1, b"")
                        raise SystemExit(3)
        try:
            anyio.run(main)
        except BaseException:
            sys.exit(3)
        """,
        3,
    ),
    "on a cluster that hangs": (
        """
        import rbdcffi._handle
        rbdcffi._handle.EXIT_TIMEOUT = 0.5
        watch = image.update_watch(print)
        other = ioctx.watch(NAME, print)
        print("ready", flush=True)
        sys.stdin.readline()
        threading.Thread(target=image.read, args=(0, MIB), daemon=True).start()
        for i in range(50):
            image.aio_write(b"x" * 4096, i * 4096, lambda completion: None)
            ioctx.aio_write_full(NAME, b"y" * 4096, lambda completion: None)
            ioctx.aio_execute(NAME, "hello", "say_hello", b"", oncomplete=lambda *args: None)
        """,
        0,
    ),
}


@dataclass
class Sanitized:
    """A copy of the package whose compiled module has sanitizers."""

    directory: Path
    environment: dict[str, str]
    leaks: bool

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-W", "ignore::ResourceWarning", *arguments],
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def end(self, process: subprocess.Popen[str], timeout: float = 120) -> tuple[int, str]:
        """(exit code, what it has printed, and reports; of leaks, those that our C has part in)."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            # with its children, who have the pipes, too
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            err += f"\nnot within {timeout} s"
        text, code = out + err, process.returncode
        for log in sorted(self.directory.glob("report.*")):
            report = log.read_text(errors="replace")
            log.unlink()
            if LEAKS in report:
                # Python forgets some memory on purpose
                blocks = [block for block in re.split(r"\n\n+", report) if "_librbd" in block]
                report = "\n\n".join([LEAKS, *blocks]) if blocks else ""
                code = code if blocks or code != FOUND else 0
            text += report
        return code, text


def library(name: str) -> str:
    found = subprocess.run(
        ["gcc", f"-print-file-name={name}"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    assert os.path.isabs(found), f"gcc has no {name}"
    return found


def build(
    directory: Path, *flags: str, change: Callable[[str], str] = lambda text: text
) -> Sanitized:
    """Builds it; `change` may change the C text."""
    specification = importlib.util.spec_from_file_location("build_ffi", ROOT / "build_ffi.py")
    assert specification is not None and specification.loader is not None
    build_ffi: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(build_ffi)
    source = directory / "_librbd.c"
    build_ffi.make().emit_c_code(str(source))
    source.write_text(change(source.read_text()))
    package = directory / "package"
    shutil.copytree(
        Path(rbdcffi.__file__).parent,
        package / "rbdcffi",
        ignore=shutil.ignore_patterns("*.so", "__pycache__"),
    )
    subprocess.run(
        [
            *("gcc", *FLAGS, *flags, f"-I{sysconfig.get_path('include')}", source.name),
            *("-o", package / "rbdcffi" / "_librbd.abi3.so", "-lrbd", "-lrados"),
        ],
        cwd=directory,
        check=True,
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(package),
        "PYTHONMALLOC": "malloc",
        # C++ throws exceptions before Python has loaded its library
        "LD_PRELOAD": f"{library('libasan.so')} {library('libstdc++.so.6')}",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        # what threads keep for themselves is not searched: gcc 12's looks at the wrong places there
        "LSAN_OPTIONS": "use_tls=0",
    }
    options = (
        f"log_path={directory}/report:exitcode={FOUND}:alloc_dealloc_mismatch=0"
        ":detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks="
    )
    for leaks in (True, False):
        environment["ASAN_OPTIONS"] = f"{options}{leaks:d}"
        sanitized = Sanitized(directory, environment, leaks)
        # where nobody may trace processes leaks cannot be looked for
        code, text = sanitized.end(sanitized.start("-c", ""))
        if code == 0:
            return sanitized
    raise AssertionError(f"Python does not run with AddressSanitizer:\n{text}")


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Sanitized:
    return build(tmp_path_factory.mktemp("sanitized"), "--coverage")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cluster that can be stopped, and whose log can be filled."""
    with Cluster(conf={"osd heartbeat grace": 3600}) as cluster:
        yield cluster


@pytest.mark.slow
def test_all_helpers(sanitized: Sanitized, own: Cluster) -> None:
    program = sanitized.start(
        str(Path(__file__).with_name("all_helpers.py")), own.conf, str(SECONDS)
    )
    code, text = sanitized.end(program)
    assert code == 0 and "Sanitizer" not in text, text[-10000:]
    print(text)
    assert called_never(sanitized.directory) <= NEVER


def called_never(directory: Path) -> set[str]:
    """The functions in cdefs/*.c that no run has called."""
    # where it is, and what it is called, differs between releases of gcc
    (record,) = directory.rglob("*.gcda")
    report = subprocess.run(
        ["gcov", "-j", "-t", str(record)], cwd=directory, stdout=subprocess.PIPE, check=True
    ).stdout
    ours: set[str] = set()
    for source in (ROOT / "cdefs").glob("*.c"):
        text = re.sub(r"/\*.*?\*/", "", source.read_text(encoding="utf-8"), flags=re.S)
        ours.update(re.findall(r"\b(\w+)\([^;{]*\)\s*\{", text))
    counts = {
        function["name"]: function["execution_count"]
        for file in json.loads(report)["files"]
        for function in file["functions"]
        if function["name"] in ours
    }
    assert len(counts) > 100, counts
    return {name for name, count in counts.items() if not count}


@pytest.mark.parametrize("end", ENDS)
def test_ends(sanitized: Sanitized, own: Cluster, fresh_name: str, end: str) -> None:
    text, wanted = ENDS[end]
    setting = f"""
        CONF, NAME = {own.conf!r}, {fresh_name!r}
        cluster, ioctx = connect()
        image = fresh(ioctx, NAME, written=256)
        ioctx.write_full(NAME, b"x")
        """
    if "rbd" not in own.pools():
        own.create_pool("rbd")
    process = sanitized.start(
        "-c",
        PRELUDE + textwrap.dedent(setting) + textwrap.dedent(text),
        # memory that is left behind on purpose is no leak
        ASAN_OPTIONS=sanitized.environment["ASAN_OPTIONS"] + ":detect_leaks=0",
    )
    stopped = "ready" in text
    try:
        if stopped:
            assert process.stdout is not None and process.stdin is not None
            assert process.stdout.readline() == "ready\n"
            own.osds[0].pause()
            process.stdin.write("\n")
        code, said = sanitized.end(process, 60)
    finally:
        if stopped:
            own.osds[0].resume()
    assert code == wanted and "Sanitizer" not in said, said[-10000:]


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Sanitized:
    """One with mistakes in it."""

    def change(text: str) -> str:
        for right, wrong, _, _ in PLANTED.values():
            assert text.count(right) == 1, right
            text = text.replace(right, wrong)
        return text.replace(
            "/*\n * The gate:",
            "#include <stdlib.h>\n#include <string.h>\n"
            "static int planted(const char *what)\n{\n"
            '    const char *wanted = getenv("PLANTED");\n'
            "    return wanted != NULL && strcmp(wanted, what) == 0;\n}\n/*\n * The gate:",
            1,
        )

    return build(tmp_path_factory.mktemp("spoilt"), change=change)


@pytest.mark.parametrize("mistake", PLANTED)
def test_mistakes_are_found(spoilt: Sanitized, own: Cluster, mistake: str) -> None:
    """Otherwise the other tests here could not fail."""
    _, _, task, report = PLANTED[mistake]
    if mistake == "never freed" and not spoilt.leaks:
        pytest.skip("leaks cannot be looked for here: LeakSanitizer may not trace the process")
    program = spoilt.start(
        str(Path(__file__).with_name("all_helpers.py")), own.conf, "0", task, PLANTED=mistake
    )
    code, text = spoilt.end(program)
    assert re.search(report, text, re.S), (code, text[-10000:])
    # UBSan of gcc ends the process by itself
    assert code in (FOUND, 1), (code, text[-10000:])
