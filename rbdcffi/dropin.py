"""Runs programs that were written for the standard modules: ``import rbd``, ``import rados``.

From the shell, for a program that is not to be changed:

    python -m rbdcffi.dropin backup.py --pool rbd
    python -m rbdcffi.dropin -m package.tool --pool rbd

In a program, before anything else imports the standard modules:

    import rbdcffi.dropin
    rbdcffi.dropin.install()
"""

from __future__ import annotations

import builtins
import io
import os
import pkgutil
import runpy
import sys
import types
import zipfile
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader

from rbdcffi import rados, rbd

#: What the standard modules are called.
MODULES = {"rados": rados, "rbd": rbd}

USAGE = "usage: python -m rbdcffi.dropin [-m MODULE | PROGRAM] [ARGUMENT ...]"


def install() -> None:
    """Makes ``import rbd`` and ``import rados`` give rbdcffi's modules, in this process.

    Idempotent. Processes that this one starts are not touched, except those that
    `multiprocessing` forks.

    Raises ImportError if a standard module has been imported already: whoever holds it would mix
    objects of both.
    """
    for name, module in MODULES.items():
        there = sys.modules.get(name)
        if there is not None and there is not module:
            origin = getattr(there, "__file__", None) or "no file"
            raise ImportError(
                f"rbdcffi.dropin: the module {name!r} ({origin}) has been imported already; "
                "call install() before that"
            )
    sys.modules.update(MODULES)


def main() -> None:
    """The command: runs a program, or with -m a module, as Python itself would."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help") or arguments == ["-m"]:
        print(USAGE, file=sys.stdout if arguments[:1] in (["-h"], ["--help"]) else sys.stderr)
        sys.exit(0 if arguments[:1] in (["-h"], ["--help"]) else 2)
    install()
    # as for Python itself: what the program defines stays there until the process ends
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        # python -m has the current directory first in its path; it is there already
        runpy._run_module_as_main(arguments[1])  # type: ignore[attr-defined]
        return
    program = arguments[0]
    sys.argv = arguments
    if program == "-":
        module.__file__, module.__loader__ = "<stdin>", BuiltinImporter
        _run(module, compile(sys.stdin.buffer.read(), "<stdin>", "exec", dont_inherit=True), "")
        return
    if not os.path.exists(program):
        sys.exit(f"rbdcffi.dropin: there is no program {program!r}")
    if os.path.isdir(program) or (os.path.isfile(program) and zipfile.is_zipfile(program)):
        _search(program, always=True)
        runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined]
        return
    path = os.path.abspath(program)
    with open(program, "rb") as file:
        text = file.read()  # it may be a pipe
    code = pkgutil.read_code(io.BytesIO(text))
    loader: type[SourceFileLoader] | type[SourcelessFileLoader] = SourcelessFileLoader
    if code is None:
        code, loader = compile(text, path, "exec", dont_inherit=True), SourceFileLoader
    module.__file__ = path
    module.__loader__ = loader("__main__", path)
    module.__dict__["__cached__"] = None
    # a program that is a link is beside what it links to
    _run(module, code, os.path.dirname(os.path.realpath(program)))


def _run(module: types.ModuleType, code: types.CodeType, directory: str) -> None:
    _search(directory)
    module.__dict__["__builtins__"] = builtins
    exec(code, module.__dict__)


def _search(directory: str, always: bool = False) -> None:
    """Makes `directory` the first to import from, in the place of the current one."""
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        sys.path[0] = directory
    elif always:
        sys.path.insert(0, directory)


if __name__ == "__main__":
    main()
