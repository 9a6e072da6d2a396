"""Constants, and whether the scenarios cover the documented API."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from rbdcffi import rados, rbd

from .conftest import Bindings
from .differences import DIFFERENCES, GENERAL, Difference
from .harness import SCENARIOS
from .releases import ALIKE, CHANCE, CHANGES, DIES, ENDS, STOPS, deadly

DOCUMENT = Path(__file__).parents[2] / "docs" / "differences.md"

#: Constants whose value depends on the release: today's in ours, its own in the standard binding.
RELEASE_DEPENDENT = {
    "rbd.RBD_FEATURES_ALL",
    "rbd.RBD_FEATURES_INCOMPATIBLE",
    "rbd.RBD_FEATURES_MUTABLE",
    "rbd.RBD_FEATURES_RW_INCOMPATIBLE",
    "rbd.RBD_FEATURES_SINGLE_CLIENT",
}

DOCUMENTED = {
    "RBD": "clone create list remove rename version",
    "Image": "break_lock close copy create_snap diff_iterate discard features flags flatten flush "
    "invalidate_cache is_exclusive_lock_owner is_protected_snap list_children list_lockers "
    "list_snaps lock_exclusive lock_shared old_format overlap parent_info protect_snap read "
    "rebuild_object_map remove_snap rename_snap resize rollback_to_snap set_snap size stat "
    "stripe_count stripe_unit unlock unprotect_snap update_features write",
    "Rados": "connect shutdown conf_get conf_set conf_read_file conf_parse_argv conf_parse_env "
    "version get_fsid get_cluster_stats get_instance_id get_addrs list_pools pool_exists "
    "pool_lookup pool_reverse_lookup create_pool delete_pool open_ioctx open_ioctx2 mon_command "
    "osd_command mgr_command pg_command ping_monitor wait_for_latest_osdmap monitor_log "
    "monitor_log2 service_daemon_register service_daemon_update blocklist_add",
    "Ioctx": "close dup set_namespace get_namespace set_locator_key get_locator_key get_pool_id "
    "get_pool_name get_last_version get_stats alignment read write write_full append stat trunc "
    "remove_object list_objects get_xattr get_xattrs set_xattr rm_xattr set_read watch notify "
    "aio_notify lock_exclusive lock_shared unlock create_snap remove_snap lookup_snap list_snaps "
    "snap_rollback create_self_managed_snap remove_self_managed_snap set_self_managed_snap_write "
    "rollback_self_managed_snap application_enable application_list application_metadata_get "
    "application_metadata_set application_metadata_remove application_metadata_list "
    "set_osdmap_full_try unset_osdmap_full_try",
    "Object": "read write remove stat seek get_xattr get_xattrs set_xattr rm_xattr",
}


def test_constants(bindings: Bindings) -> None:
    records = bindings.run("constants")
    missing = set(records.standard) - set(records.ours)
    assert not missing, "ours lacks constants"
    different = {
        name: (value, records.ours[name])
        for name, value in records.standard.items()
        if records.ours.get(name, value) != value and name not in RELEASE_DEPENDENT
    }
    assert not different, "(standard, ours)"


def test_unions_of_features_hold_those_of_the_standard(bindings: Bindings) -> None:
    records = bindings.run("constants")
    for name in RELEASE_DEPENDENT:
        standard, ours = (
            int(side[name].removeprefix("-> ")) for side in (records.standard, records.ours)
        )
        assert standard & ours == standard, name


def test_scenarios_cover_the_api(bindings: Bindings) -> None:
    called = set()
    for name in SCENARIOS:
        if not deadly(name):
            called |= bindings.run(name).called
    expected = {f"{c}.{method}" for c, methods in DOCUMENTED.items() for method in methods.split()}
    assert expected <= called


@pytest.mark.parametrize(
    "class_", [rbd.RBD, rbd.Image, rados.Rados, rados.Ioctx, rados.Object], ids=lambda c: c.__name__
)
def test_documented_methods_are_methods(class_: type) -> None:
    for method in DOCUMENTED[class_.__name__].split():
        assert inspect.isfunction(getattr(class_, method)), method


def test_differences_are_documented() -> None:
    """Every declared difference has its section, and every section is declared."""
    sections = re.findall(r"^### `([a-z0-9-]+)`", DOCUMENT.read_text(), re.MULTILINE)
    assert len(sections) == len(set(sections))
    of_releases = {key for changes in CHANGES.values() for key in changes}
    assert set(sections) == {*DIFFERENCES, *GENERAL.values(), *of_releases}


def _declared_calls(differences: Iterable[Difference]) -> list[tuple[str, str]]:
    return [
        (name, call)
        for difference in differences
        for name, steps in difference.steps.items()
        for call in steps
    ]


@pytest.mark.parametrize("release", CHANGES)
def test_a_call_is_declared_once(release: int) -> None:
    for differences in (DIFFERENCES, CHANGES[release]):
        calls = _declared_calls(differences.values())
        assert len(calls) == len(set(calls))
        assert {name for name, _ in calls} <= set(SCENARIOS)
    for names in (STOPS, DIES, CHANCE, ENDS, ALIKE):
        assert set(names[release]) <= set(SCENARIOS)
