"""All scenarios."""

from __future__ import annotations

from . import (
    scenarios_clones,
    scenarios_cluster,
    scenarios_deadly,
    scenarios_diff,
    scenarios_images,
    scenarios_info,
    scenarios_io,
    scenarios_life,
    scenarios_locks,
    scenarios_modules,
    scenarios_objects,
    scenarios_snapshots,
)

ALL = (
    scenarios_clones,
    scenarios_cluster,
    scenarios_deadly,
    scenarios_diff,
    scenarios_images,
    scenarios_info,
    scenarios_io,
    scenarios_life,
    scenarios_locks,
    scenarios_modules,
    scenarios_objects,
    scenarios_snapshots,
)
