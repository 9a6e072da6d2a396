"""Builds rbdcffi._librbd, the compiled module, from the declarations in cdefs/.

cdefs/*.h is plain C, one file per topic, and the only place where a C function is declared. A
prototype that ends in ``// since N`` belongs to a function that appeared after Ceph 14, the
oldest supported release. This file concatenates the topics for cffi and writes, around every
function that needs one, a small C wrapper of the same name:

- a function newer than the oldest release is weak, so that one binary loads on any release, and
  its wrapper refuses where the loaded library lacks it (calling it would be a segfault);
- a function that takes a rados_t, rados_ioctx_t or rbd_image_t is given the gate of the handle
  (cdefs/handle.c); its wrapper enters the gate, calls with the real handle, and leaves.

Everything above, including the type stub (scripts/generate-stub), is derived from this file's
``functions()``.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

from cffi import FFI

CDEFS = Path(__file__).resolve().parent / "cdefs"

#: In the order in which types need each other.
TOPICS = (
    "types",
    "handle",
    "secrets",
    "closing",
    "callbacks",
    "extents",
    "bytes",
    "checksum",
    "values",
    "timestamps",
    "completions",
    "watching",
    "notices",
    "rados_cluster",
    "rados_ioctx",
    "rados_xattrs",
    "rados_aio",
    "rados_commands",
    "rados_objects",
    "rados_listing",
    "cursors",
    "rados_snapshots",
    "rados_ops",
    "object_io",
    "rados_omap",
    "rados_watch",
    "rados_locks",
    "rbd_features",
    "rbd_aio",
    "rbd_image_options",
    "rbd_images",
    "rbd_image_info",
    "rbd_io",
    "rbd_diff",
    "rbd_snapshots",
    "rbd_clones",
    "rbd_locks",
    "rbd_metadata",
    "rbd_pools",
    "rbd_groups",
    "rbd_trash",
    "rbd_mirroring",
    "mirroring",
    "rbd_migration",
    "rbd_encryption",
    "rbd_watch",
)

HANDLE_KINDS = {
    "rados_t": "RBDCFFI_CLUSTER",
    "rados_ioctx_t": "RBDCFFI_IOCTX",
    "rbd_image_t": "RBDCFFI_IMAGE",
}

#: These end the life of the handle in their first argument: only after it was shut and drained.
DESTROYERS = frozenset({"rados_shutdown", "rados_ioctx_destroy", "rbd_close", "rbd_aio_close"})

#: What these write may be in the image's cache until it is flushed: see cdefs/closing.c.
WRITERS = frozenset(
    {
        "rbd_compare_and_write",
        "rbd_discard",
        "rbd_write",
        "rbd_write2",
        "rbd_write_zeroes",
        "rbd_writesame",
    }
)

#: librbd crashes or hangs when these run together with others on the same image: they wait until
#: they are alone.
ALONE = frozenset({"rbd_snap_set", "rbd_snap_set_by_id"})

#: librbd crashes or hangs when those of the first kind run together with one of either kind on the
#: same image: they take turns, and those of the second kind share one.
TURNS = frozenset(
    {
        "rbd_mirror_image_demote",
        "rbd_resize",
        "rbd_resize2",
        "rbd_resize_with_progress",
        "rbd_snap_rollback",
        "rbd_snap_rollback_with_progress",
    }
)
SHARED_TURNS = frozenset(
    {
        "rbd_mirror_image_create_snapshot",
        "rbd_mirror_image_create_snapshot2",
        "rbd_mirror_image_enable",
        "rbd_mirror_image_enable2",
        "rbd_mirror_image_promote",
        "rbd_rebuild_object_map",
        "rbd_snap_create",
        "rbd_snap_create2",
        "rbd_snap_protect",
        "rbd_snap_remove",
        "rbd_snap_remove2",
        "rbd_snap_remove_by_id",
        "rbd_snap_unprotect",
        "rbd_sparsify",
        "rbd_sparsify_with_progress",
    }
)

#: The calls on an image that an on_progress may make on a thread of librbd: they do not wait.
NEVER_WAITING = re.compile(
    r"rbd_(get_(?!group|migration)|stat|is_(?!exclusive)|snap_list|aio_|update_unwatch|quiesce_unwatch)"
)

#: The calls on a pool that open images: a thread of librbd, which calls back, must not make them.
OPENING = re.compile(
    r"rbd_(open|create|clone|remove|rename|trash_(move|remove|restore|purge)|migration_|pool_stats"
    r"|group_(image_(add|remove)|remove|snap_(create|remove|rollback)))"
)

PACKAGES = (
    "librbd-dev and librados-dev (Debian, Ubuntu), librbd-devel and librados-devel "
    "(Fedora, RHEL, CentOS), librbd-devel and librados-devel (openSUSE)"
)


class Function(NamedTuple):
    name: str
    topic: str
    returns: str
    #: (type, name); a pointer to a function has its whole declarator as type
    parameters: tuple[tuple[str, str], ...]
    #: the prototype without its comment
    prototype: str
    #: the Ceph release that brought it, or None for the oldest supported one
    since: str | None

    @property
    def handles(self) -> list[tuple[str, str]]:
        """The (kind, parameter name) of each gated handle."""
        return [(HANDLE_KINDS[t], n) for t, n in self.parameters if t in HANDLE_KINDS]

    @property
    def wrapped(self) -> bool:
        return self.since is not None or bool(self.handles)


def topic_text(topic: str) -> str:
    return (CDEFS / f"{topic}.h").read_text(encoding="utf-8")


def c_text(name: str) -> str:
    return (CDEFS / f"{name}.c").read_text(encoding="utf-8")


def split_parameters(parameters: str) -> list[str]:
    """Splits at the commas that are not inside parentheses."""
    parts, depth, current = [], 0, ""
    for char in parameters:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    return [*parts, current.strip()]


def parse_parameter(text: str) -> tuple[str, str]:
    pointer_to_function = re.search(r"\(\*(\w+)\)", text)
    if pointer_to_function:
        return text, pointer_to_function[1]
    match = re.fullmatch(r"(.*?)(\w+)", text)
    assert match, text
    return match[1].strip(), match[2]


def functions() -> list[Function]:
    """Every function of librados and librbd in cdefs/, in order."""
    found = []
    for topic in TOPICS:
        text = re.sub(r"/\*.*?\*/", "", topic_text(topic), flags=re.S)
        for match in re.finditer(
            r"^(?!typedef|static|extern|const struct|struct)([\w *]+?)\b((?:rados|rbd)_\w+)\("
            r"([^;]*)\);(?: *// since (\d+))?$",
            text,
            flags=re.M,
        ):
            returns, name, parameters, since = match.groups()
            parameters = " ".join(parameters.split())
            found.append(
                Function(
                    name=name,
                    topic=topic,
                    returns=returns.strip(),
                    parameters=()
                    if parameters == "void"
                    else tuple(parse_parameter(p) for p in split_parameters(parameters)),
                    prototype=f"{returns}{name}({parameters});",
                    since=since,
                )
            )
    return found


def _refused(function: Function, code: str) -> str:
    if function.returns == "void":
        return "return;"
    if function.returns in ("int", "ssize_t", "int64_t"):
        return f"return {code};"
    return "return 0;"


def _wrapper(function: Function) -> str:
    declared = function.prototype.rstrip(";").replace(
        f"{function.name}(", f"gated_{function.name}(", 1
    )
    arguments = {name: name for _, name in function.parameters}
    before, after = [], []
    if function.since is not None:
        absent = _refused(function, "REFUSE(0, RBDCFFI_ABSENT)")
        before.append(f"if ({function.name} == NULL) {absent}")
    if function.name in DESTROYERS:
        kind, name = function.handles[0]
        before.append(f"void *raw_{name} = handle_take({name});")
        shut = _refused(function, f"REFUSE({kind}, RBDCFFI_CLOSED)")
        before.append(f"if (raw_{name} == NULL) {shut}")
        arguments[name] = f"raw_{name}"
    else:
        inside: list[str] = []
        alone = "_alone" if function.name in ALONE else ""
        for kind, name in function.handles:
            enter = alone
            if kind == "RBDCFFI_IMAGE" and not alone and not NEVER_WAITING.match(function.name):
                enter = "_waiting"
            elif kind == "RBDCFFI_IOCTX" and OPENING.match(function.name):
                enter = "_opening"
            leave = " ".join(f"handle_leave({n});" for n in reversed(inside))
            refuse = _refused(function, f"refused_{name}")
            before.append(f"int refused_{name} = handle_enter{enter}({name}, {kind});")
            before.append(f"if (refused_{name}) {{ {leave} {refuse} }}")
            inside.append(name)
            arguments[name] = f"((struct rbdcffi_handle *){name})->raw"
        after = [f"handle_leave{alone}({n});" for n in reversed(inside)]
        if function.name in WRITERS:
            after.insert(0, f"if (returned >= 0) image_unflushed({inside[0]}, 1);")
        elif function.name == "rbd_flush":
            before.append(f"image_unflushed({inside[0]}, 0);")
            after.insert(0, f"if (returned < 0) image_unflushed({inside[0]}, 1);")
        if function.name in TURNS | SHARED_TURNS:
            kind, name = function.handles[0]
            shared = int(function.name in SHARED_TURNS)
            refuse = _refused(function, "refused_turn")
            before.append(f"int refused_turn = handle_take_turn({name}, {kind}, {shared});")
            before.append(f"if (refused_turn) {{ handle_leave({name}); {refuse} }}")
            after.insert(0, f"handle_leave_turn({name});")
    call = f"{function.name}({', '.join(arguments.values())});"
    if function.returns == "void":
        body = [*before, call, *after]
    else:
        body = [*before, f"{function.returns} returned = {call}", *after, "return returned;"]
    return "\n".join(
        [
            f"static {declared}",
            "{",
            *(f"    {line}" for line in body),
            "}",
            f"#define {function.name} gated_{function.name}",
        ]
    )


def c_source() -> str:
    every = functions()
    newer = [f for f in every if f.since is not None]
    parts = [
        "#ifdef __has_include",
        "#if !__has_include(<rbd/librbd.h>) || !__has_include(<rados/librados.h>)",
        f'#error "the headers of librbd and librados are missing; install {PACKAGES}"',
        "#endif",
        "#endif",
        "#include <stdint.h>",
        "#include <stdlib.h>",
        "#include <string.h>",
        "#include <sys/types.h>",
        "#include <sys/uio.h>",
        "#include <time.h>",
        "#include <unistd.h>",
        "#include <rados/librados.h>",
        "#include <rbd/librbd.h>",
        '#pragma GCC diagnostic ignored "-Wdeprecated-declarations"',
        topic_text("compat"),
        "/* repeated, so that headers that have them check ours */",
        *(f.prototype for f in newer),
        *(f"#pragma weak {f.name}" for f in newer),
        "struct rbdcffi_symbol { const char *name; const char *since; int present; };",
        "const struct rbdcffi_symbol *rbdcffi_symbols(void)",
        "{",
        "    static struct rbdcffi_symbol symbols[] = {",
        *(f'        {{"{f.name}", "{f.since}", 0}},' for f in newer),
        "    };",
        *(f"    symbols[{i}].present = {f.name} != NULL;" for i, f in enumerate(newer)),
        "    return symbols;",
        "}",
        f"int rbdcffi_symbol_count(void) {{ return {len(newer)}; }}",
        *(
            c_text(name)
            for name in (
                "handle",
                "secrets",
                "closing",
                "callbacks",
                "extents",
                "completions",
                "object_io",
                "watching",
                "notices",
                "cursors",
                "mirroring",
                "bytes",
                "checksum",
                "timestamps",
            )
        ),
        *(_wrapper(f) for f in every if f.wrapped),
        c_text("values"),
    ]
    return "\n".join(parts)


def probe() -> None:
    """Stops with the names of the missing packages instead of a page of compiler errors."""
    import tempfile

    # First: it provides distutils, and what is raised are the classes found under that name.
    import setuptools  # noqa: F401  isort: skip
    from distutils.ccompiler import new_compiler
    from distutils.errors import CCompilerError, DistutilsError
    from distutils.sysconfig import customize_compiler

    compiler = new_compiler()
    customize_compiler(compiler)
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "probe.c")

        def step(text: str, link: bool, missing: str) -> None:
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            try:
                objects = compiler.compile([source], output_dir=directory)
                if link:
                    compiler.link_executable(
                        objects, os.path.join(directory, "probe"), libraries=["rbd", "rados"]
                    )
            except (CCompilerError, DistutilsError) as error:
                raise SystemExit(f"rbdcffi cannot be built: {missing} ({error})") from None

        step(
            "int main(void) { return 0; }\n",
            False,
            "no working C compiler; install gcc (all distributions)",
        )
        step(
            "#include <rados/librados.h>\n#include <rbd/librbd.h>\nint main(void) { return 0; }\n",
            False,
            f"the headers of librbd and librados are missing; install {PACKAGES}",
        )
        step(
            "#include <rados/librados.h>\n#include <rbd/librbd.h>\n"
            "int main(void) { rados_version(0, 0, 0); rbd_version(0, 0, 0); return 0; }\n",
            True,
            f"librbd.so or librados.so cannot be linked; install {PACKAGES}",
        )


#: The commands of setuptools that compile; an sdist needs neither compiler nor headers.
COMPILING = frozenset({"build", "build_ext", "bdist_wheel", "editable_wheel", "develop", "install"})


def make() -> FFI:
    """What setup.py names in cffi_modules."""
    if COMPILING.intersection(sys.argv):
        probe()
    ffi = FFI()
    for topic in TOPICS:
        ffi.cdef(topic_text(topic))
    # any function of Ceph 14 is the strong reference that keeps --as-needed from dropping a library
    ffi.set_source(
        "rbdcffi._librbd",
        c_source(),
        libraries=["rbd", "rados"],
        # debug information of the generated wrappers triples the size and helps nobody
        extra_compile_args=["-g0"],
    )
    return ffi


if __name__ == "__main__":
    make().compile(verbose=True)
