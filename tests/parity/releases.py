"""What is declared for other releases of Ceph than 16, for which differences.py is written.

A release changes a step of a declared difference where its librbd or its standard binding does
something else than those of 16, and has differences of its own.
"""

from __future__ import annotations

from rbdcffi import _ffi

from .differences import DIFFERENCES, Difference
from .harness import DEADLY

#: {minor version of librbd: release of Ceph}
RELEASES = {12: 14, 16: 16, 18: 18, 20: 20}
RELEASE = RELEASES[_ffi.loaded_version()[1]]

#: {release: scenarios that it does not come to the end of, as its standard binding or its librbd
#: lacks what they use; what they did until then is compared}
STOPS: dict[int, set[str]] = {
    14: {
        "comparing_operations",
        "watching",
        "watching_what_is_lost",
        "notifying_in_vain",
        "arguments_and_environment",
        "configuration",
        "connect",
        "encryption_arguments",
        "group_images",
        "group_snapshots",
        "migration_import",
        "mirror_lists",
        "opened_with_a_callback",
        "removing_with_flags",
        "snapshot_facts",
        "snapshots",
    },
    16: set(),
    18: set(),
    20: {"call_forms_of_today"},
}

#: {release: scenarios that its standard binding does not survive, somewhere in the middle}
DIES: dict[int, set[str]] = {
    14: {
        "call_forms_of_today",  # an argument that it does not know is deadly
        "callbacks_zero_flags",  # so are flags for its librbd
    },
    16: set(),
    18: set(),
    20: set(),
}

#: {release: scenarios of one call in which its standard binding uses what was freed, and survives
#: that now and then}
CHANCE: dict[int, set[str]] = {
    14: {"deadly_alignment_of_closed_pool", "deadly_step_of_released_operation"},
    16: set(),
    18: set(),
    20: set(),
}

#: {release: {scenario: the call with which its comparison ends, as the standard binding lacks an
#: argument and the rest depends on it}}
ENDS: dict[int, dict[str, str]] = {
    14: {
        "omaps": "set_omap(WriteOpCtx, ['d'], ['text'])",
        "log_of_the_cluster": "monitor_log('none', called)",
        "services_of_clients": "service_daemon_register('parity', '<pool>', {'a': 'b'})",
        "mirror_peers": "mirror_peer_add(Ioctx, 'site 0', 'client.x', 0)",
        "mirror_image_journal": "mirror_image_enable(0)",
        "mirror_image_snapshot": "mirror_image_enable(1)",
    },
    16: {},
    18: {},
    20: {},
}

#: What the standard bindings of Ceph 18 and 20 do as ours: {scenario: its calls}.
_SINCE_18 = {
    "deadly_no_operation": ["operate_write_op(None, 'a')"],
    "services_of_clients": ["service_daemon_update(5)"],
    "callbacks_keywords": [
        "aio_flush(oncomplete=_told)",
    ],
    "connect_timeout_of_wrong_type": [
        "connect('x')",
    ],
    "deadly_timestamp_of_unknown_snapshot": [
        "get_snap_timestamp(4711)",
    ],
    "group_snapshots": [
        "rollback_to_snap(name='none')",
        "remove_snap(snap_name='none')",
    ],
    "keywords_of_single_arguments": [
        "set_snap(name='s')",
        "is_protected_snap(name='s')",
        "protect_snap(name='s')",
        "unprotect_snap(name='s')",
        "rollback_to_snap(name='s')",
        "remove_snap(name='s')",
        "lock_exclusive(cookie='c')",
        "unlock(cookie='c')",
        "conf_get(option='rbd_cache')",
        "pool_exists(pool_name='<pool>')",
        "pool_lookup(pool_name='none')",
        "delete_pool(pool_name='none')",
        "open_ioctx(ioctx_name='none')",
        "open_ioctx2(pool_id=12345)",
        "pool_reverse_lookup(pool_id=12345)",
        "get_xattrs(oid='a')",
        "stat(key='a')",
        "remove_object(key='a')",
        "set_namespace(nspace='n')",
        "set_locator_key(loc_key='l')",
        "set_read(snap_id=18446744073709551614)",
    ],
    "object_class": [
        "seek('x')",
    ],
    "managed_lock": [
        "lock_acquire(lock_mode=0)",
    ],
}

#: {release: {scenario: calls that the two do alike there}}
ALIKE: dict[int, dict[str, list[str]]] = {
    14: {
        "deadly_no_operation": ["operate_write_op(None, 'a')"],
        "object_aio_callbacks": ["aio_write('a', b'x', 0, 5)"],
        "object_aio_only_safe": ["called"],
        "command_input_as_text": [
            "mon_command('{\"prefix\": \"fsid\"}', '')",
        ],
    },
    16: {},
    18: {
        **_SINCE_18,
    },
    20: {
        **_SINCE_18,
        "more_facts": [
            "create_timestamp()",
            "access_timestamp()",
            "modify_timestamp()",
        ],
        "generations": [
            "get_parent_image_spec()",
        ],
        "snapshot_facts": [
            "timestamp",
        ],
        "trashed_snapshots": [
            "get_parent_image_spec()",
        ],
        "group_images": [
            "remove(Ioctx, 'a')",
        ],
        "trash_times": [
            "deletion_time",
            "deferment_end_time",
        ],
    },
}

_DIFF_BY_BYTES = {
    "diff_iterate(0, 16777216, b's', callback, True, False)": "-> None",
    "extents #14": (
        "[(100, 100, True), (4194304, 2097152, False), (8388608, 10"
        "48586, True), (12582912, 4194304, True)]"
    ),
    "diff_iterate(0, 16777216, b's', callback, True, True)": "-> None",
    "extents #15": (
        "[(0, 4194304, True), (4194304, 4194304, False), (8388608, "
        "4194304, True), (12582912, 4194304, True)]"
    ),
    "diff_iterate(0, 16777216, b's', callback, False, False)": "-> None",
    "extents #16": (
        "[(100, 100, True), (4194304, 2097152, False), (8388608, 10"
        "48586, True), (12582912, 4194304, True)]"
    ),
    "diff_iterate(0, 16777216, b's', callback, False, True)": "-> None",
    "extents #17": (
        "[(0, 4194304, True), (4194304, 4194304, False), (8388608, "
        "4194304, True), (12582912, 4194304, True)]"
    ),
    "diff_iterate(0, 16777216, 5.5, callback)": "!! rbd.InvalidArgument errno 22",
    "diff_iterate(0, 16777216, [], callback)": "!! rbd.InvalidArgument errno 22",
    "diff_iterate(0, 16777216, b'none', callback)": "!! rbd.ImageNotFound errno 2",
}

#: {release: {key of a section in docs/differences.md: what is declared beside what is for 16}}
CHANGES: dict[int, dict[str, Difference]] = {
    14: {
        "waiting-returns": Difference(
            "wait_for_complete_and_cb of a Completion returns 0.",
            {
                "object_aio_write": {
                    "aio_write('a', b'x')": (
                        "-> (<class Completion>, None, None, 0, 0, True, True, 0)"
                    ),
                    "aio_write_full('a', b'x')": (
                        "-> (<class Completion>, None, None, 0, 0, True, True, 0)"
                    ),
                    "aio_append('a', b'x')": (
                        "-> (<class Completion>, None, None, 0, 0, True, True, 0)"
                    ),
                },
                "object_aio_safe": {
                    "aio_write('a', b'data', 0, oncomplete, onsafe)": (
                        "-> (<class Completion>, None, None, 0, 0, True, True, 0)"
                    ),
                    "aio_write_full('a', b'data', oncomplete, onsafe)": (
                        "-> (<class Completion>, None, None, 0, 0, True, True, 0)"
                    ),
                    "aio_append('a', b'data', oncomplete, onsafe)": (
                        "-> (<class Completion>, None, None, 0, 0, True, True, 0)"
                    ),
                    (
                        "aio_execute('a', 'hello', 'say_hello', b'you', 100, oncomplete, onsafe)"
                    ): "-> (<class Completion>, None, None, 0, 0, True, True, 11)",
                    ("aio_execute('a', 'hello', 'none', b'you', 100, oncomplete, onsafe)"): (
                        "-> (<class Completion>, None, None, 0, 0, True, True, -95)"
                    ),
                    "aio_remove('a', oncomplete, onsafe)": (
                        "-> (<class Completion>, None, None, 0, 0, True, True, 0)"
                    ),
                    "aio_remove('a', oncomplete, onsafe) #2": (
                        "-> (<class Completion>, None, None, 0, 0, True, True, -2)"
                    ),
                },
                "object_aio_only_safe": {
                    "aio_write('a', b'data', onsafe=<lambda>)": (
                        "-> (<class Completion>, None, None, 0, 0, True, True, 0)"
                    )
                },
                "object_aio_execute": {
                    "aio_execute('a', 'hello', 'say_hello', b'you')": (
                        "-> (<class Completion>, None, None, 0, 0, True, True, 11)"
                    )
                },
            },
        ),
        "arguments-of-today": Difference(
            "Arguments, attributes and classes of newer standard bindings are there.",
            {
                "construct": {
                    "Rados(conffile=None)": "-> (None, 'configuring', 'true', None, None, False)",
                    "Rados(clustername='q', conffile=None)": (
                        "-> (None, 'configuring', 'true', None, None, False)"
                    ),
                    "Rados(clustername='', conffile=None)": (
                        "-> (None, 'configuring', 'true', None, None, False)"
                    ),
                    "Rados(conf_defaults={'nope': 'false'}, conffile=None)": (
                        "!! rados.ObjectNotFound errno 2"
                    ),
                    (
                        "Rados('someone', None, 'ceph', None, '<conf>', None, 0, None)"
                    ): "-> ('someone', 'configuring', 'true', None, None, True)",
                    "Rados(None, 'client.n', None, {'rbd_cache': 'false'}, None)": (
                        "-> (None, 'configuring', 'false', None, None, False)"
                    ),
                },
                "pools": {
                    ("create_pool(pool_name='<pool>-kw', crush_rule=None, auid=None)"): "-> None",
                    "delete_pool('<pool>-kw')": "-> None",
                },
                "open_pools": {
                    "open_ioctx('<pool>')": "-> ('open', '', '', '<pool>')",
                    "by number": "-> ('open', '', '', '<pool>')",
                },
                "group_snapshots": {
                    "create_snap(snap_name='kw', flags=0)": "-> None",
                },
                "applications": {"application_metadata_list('one')": "-> []"},
                "ioctx_as_context_manager": {
                    "name": "-> '<pool>'",
                },
                "mirror_image_unmirrored": {
                    "mirror_image_get_status()": (
                        "-> {'name': 'a', 'id': <class str>, 'info': {'global_id': "
                        "<class str>, 'state': 2, 'primary': False}, 'remote_status"
                        "es': [], 'state': 0, 'description': 'status not found', 'l"
                        "ast_update': <class datetime>, 'up': False}"
                    ),
                    "mirror_image_enable(-1)": "!! OverflowError",
                    "mirror_image_enable(9)": "!! rbd.InvalidArgument errno 22",
                    "mirror_image_enable(1099511627776)": "!! OverflowError",
                },
                "opened_with_a_callback": {
                    "name: open": "-> [0, True, 'Image', b'now!', (0, ()), True, 0]",
                    "bytes: open": "-> [0, True, 'Image', b'now!', (0, ()), True, 0]",
                    "keyword: open": "-> [0, True, 'Image', b'now!', (0, ()), True, 0]",
                    "snapshot: open": "-> [0, True, 'Image', b'then', (0, ()), True, 0]",
                    "read-only: open": "-> [0, True, 'Image', b'now!', (0, ()), True, 0]",
                    "read-only snapshot: open": "-> [0, True, 'Image', b'then', (0, ()), True, 0]",
                    "id: open": "-> [0, True, 'Image', b'now!', (0, ()), True, 0]",
                    "read-only id: open": "-> [0, True, 'Image', b'now!', (0, ()), True, 0]",
                    "none: open": "-> [-2, True, 'Image']",
                    "no snapshot: open": "-> [-2, True, 'Image']",
                    "no id: open": "-> [-2, True, 'Image']",
                    "nothing: open": "!! rbd.InvalidArgument errno 22",
                    "both: open": "!! rbd.InvalidArgument errno 22",
                },
                "snapshots": {
                    "create_snap(name='kw')": "-> None",
                    "create_snap('flags', 0)": "-> None",
                },
            },
        ),
        "commands-are-text": Difference(
            "A command is str or bytes.",
            {
                "commands": {
                    "mon_command({'prefix': 'fsid'}, b'')": "!! TypeError",
                },
            },
        ),
        "complete-in-its-callback": Difference(
            "A completion is complete when its callback runs.",
            {
                "complete_in_its_callback": {
                    "complete": "[True]",
                },
            },
        ),
        "errors-of-today": Difference(
            "Classes and texts of errors are today's.",
            {
                "program_provisioning": {
                    "result #17": "[errno 16] RBD image is busy ",
                },
                "break_lock": {
                    "read('some object')": "!! rados.ConnectionShutdown errno 108",
                },
                "exceptions": {
                    "rbd.LogicError: bases": "-> ['LogicError', 'OSError', 'Error']",
                    "rados.ConnectionShutdown: bases": (
                        "-> ['ConnectionShutdown', 'OSError', 'Error']"
                    ),
                    "rados.ConnectionShutdown: an Exception": "-> True",
                    "rados.ConnectionShutdown: of a message": "-> <class ConnectionShutdown>",
                    "rados.ExtendMismatch: bases": "-> ['ExtendMismatch', 'Error']",
                    "rados.ExtendMismatch: an Exception": "-> True",
                    "rados.InProgress: bases": "-> ['InProgress', 'Error']",
                    "rados.InProgress: an Exception": "-> True",
                    "rados.InProgress: of a message": "-> <class InProgress>",
                    "rados.IsConnected: bases": "-> ['IsConnected', 'Error']",
                    "rados.IsConnected: an Exception": "-> True",
                    "rados.IsConnected: of a message": "-> <class IsConnected>",
                    "rados.NotConnected: bases": "-> ['NotConnected', 'OSError', 'Error']",
                    "rados.NotConnected: an Exception": "-> True",
                    "rados.NotConnected: of a message": "-> <class NotConnected>",
                },
                "errors_in_hand": {
                    "rbd: text begins": "[errno 2] RBD image not found ",
                    "rados: text begins": "[errno 2] RADOS object not found ",
                },
            },
        ),
        "namespace-none": Difference(
            "set_namespace(None) goes back to the default namespace, as in Ceph 16.",
            {
                "namespace_none": {
                    "set_namespace(None)": "-> None",
                    "get_namespace()": "-> ''",
                },
            },
        ),
        "ping": Difference(
            "ping_monitor asks by a command.",
            {
                "pings": {
                    "ping_monitor('')": "-> (<class str>, True)",
                },
            },
        ),
    },
    16: {},
    18: {
        "bytes-names-of-snapshots": Difference(
            "Names of snapshots may be bytes, as in Ceph 16.",
            {
                "diff": _DIFF_BY_BYTES,
            },
        ),
        "namespace-none": Difference(
            "set_namespace(None) goes back to the default namespace, as in Ceph 16.",
            {
                "namespace_none": {
                    "set_namespace(None)": "-> None",
                    "get_namespace()": "-> ''",
                },
            },
        ),
    },
    20: {
        "arguments-of-today": Difference(
            "Arguments, attributes and classes of newer standard bindings are there.",
            {
                "clone": {
                    (
                        "clone(Ioctx, 'parent', p_snapname='s', c_ioctx=Ioctx, c_name='kw')"
                    ): "-> None",
                    (
                        "clone(p_ioctx=Ioctx, p_name='parent', p_snapname='s', c_io"
                        "ctx=Ioctx, c_name='kws', features=1, order=21)"
                    ): "!! rbd.InvalidArgument errno 22",
                },
                "call_forms_of_today": {
                    (
                        "clone(p_ioctx=Ioctx, p_name='1', p_snapname='s', c_ioctx=I"
                        "octx, c_name='4', features=None, data_pool='<pool>')"
                    ): "-> None",
                },
            },
        ),
        "bytes-names-of-snapshots": Difference(
            "Names of snapshots may be bytes, as in Ceph 16.",
            {
                "diff": _DIFF_BY_BYTES,
                "clone": {
                    "clone(Ioctx, 'parent', None, Ioctx, 'x')": "!! rbd.InvalidArgument errno 22",
                    "clone(Ioctx, b'parent', b's', Ioctx, b'bytes')": "-> None",
                    "list(Ioctx)": (
                        "-> ['badstripe', 'bytes', 'kw', 'layering', 'none', 'order"
                        "0', 'parent', 'plain', 'pool', 'pos', 'stripe0', 'striped'"
                        "]"
                    ),
                },
            },
        ),
        "complete-in-its-callback": Difference(
            "A completion is complete when its callback runs.",
            {
                "complete_in_its_callback": {
                    "complete": "[True]",
                },
            },
        ),
        "namespace-none": Difference(
            "set_namespace(None) goes back to the default namespace, as in Ceph 16.",
            {
                "namespace_none": {
                    "set_namespace(None)": "-> None",
                    "get_namespace()": "-> ''",
                },
            },
        ),
        "ping": Difference(
            "ping_monitor asks by a command.",
            {
                "pings": {
                    "ping_monitor('a')": "-> (<class str>, True)",
                },
            },
        ),
        "survives": Difference(
            "Calls that end the process of the standard binding are errors.",
            {
                "snapshots_of_no_group": {
                    "list_snaps()": "!! rbd.ObjectNotFound errno 2",
                },
            },
        ),
    },
}


def deadly(name: str) -> bool:
    """Whether a scenario kills the process of the standard binding here, or may."""
    return RELEASE in DEADLY.get(name, ()) or name in DIES[RELEASE] or name in CHANCE[RELEASE]


def declared(name: str) -> dict[str, str]:
    """What ours is declared to do differently in a scenario: {call: what ours does}."""
    steps: dict[str, str] = {}
    for difference in [*DIFFERENCES.values(), *CHANGES[RELEASE].values()]:
        steps.update(difference.steps.get(name, {}))
    for call in ALIKE[RELEASE].get(name, []):
        del steps[call]
    return steps
