"""The seam to the compiled module."""

from __future__ import annotations

import re
from pathlib import Path

import rbdcffi
from rbdcffi._ffi import TYPES


def test_all_type_strings_are_parsed_at_import() -> None:
    """PyPy mixes up types that several threads parse at once."""
    named = set()
    for path in Path(rbdcffi.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        named |= set(
            re.findall(
                r'(?:ffi\.(?:new|typeof|sizeof|cast|from_buffer)|new_uncleared)\(\s*"([^"]+)"', text
            )
        )
    assert named == set(TYPES)
