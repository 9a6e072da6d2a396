"""The standard binding, in a process of its own.

It dies with SIGSEGV on some calls and can hang when its process exits: that must not be the process
of the test run. And it exists for one Python only, which may be another than that of the test run.

    python3 -m parity.worker CONF POOL [ours]

takes names of scenarios on stdin, a line each, and answers with one line of JSON each. With "ours"
it is our binding, for calls that may be deadly.
"""

from __future__ import annotations

import json
import os
import sys

#: Where Debian's packages put the modules; virtual environments do not look there.
DIRECTORY = "/usr/lib/python3/dist-packages"


def main() -> None:
    ours = sys.argv[3:] == ["ours"]
    if ours:
        from rbdcffi import rados, rbd
    else:
        sys.path.append(DIRECTORY)
        try:
            import rados
            import rbd
        finally:
            sys.path.remove(DIRECTORY)

    from parity import programs, scenarios
    from parity.harness import Side

    assert scenarios.ALL and programs.ALL
    answers = os.fdopen(os.dup(1), "w")
    # what a program or a library prints must not get between the answers
    os.dup2(2, 1)
    side = None
    if len(sys.argv) > 1:
        # the log of a process that dies ends with the call that killed it
        side = Side(
            rbd,
            rados,
            sys.argv[1],
            sys.argv[2],
            lambda label: os.write(2, f"{label}\n".encode()),
            may_stop=not ours,
        )
    answers.write(json.dumps({"python": sys.version, "version": rbd.RBD().version()}) + "\n")
    answers.flush()
    for line in sys.stdin:
        assert side is not None
        answers.write(json.dumps(side.run(line.strip())) + "\n")
        answers.flush()
    # not sys.exit: the binding can hang there
    os._exit(0)


if __name__ == "__main__":
    main()
