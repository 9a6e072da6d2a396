"""Where ours differs from the standard binding of Ceph 16 on purpose, and where others do not say
otherwise (releases.py). docs/differences.md tells users why.

Everything else that differs is a bug.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """An intended difference; `steps` is {scenario: {call: what ours does}}."""

    reason: str
    steps: dict[str, dict[str, str]]


#: {key in docs/differences.md: difference}
DIFFERENCES: dict[str, Difference] = {
    "argument-order": Difference(
        "Wrong arguments may be told before the closed image.",
        {
            "closed_image": {
                "wrong arguments: read('x', None)": "!! TypeError",
                "wrong arguments: write(None, None)": "!! TypeError",
                "wrong arguments: resize(-1)": "!! OverflowError",
                "wrong arguments: diff_iterate(-1, 1, 5, None)": "!! TypeError",
            }
        },
    ),
    "attributes": Difference(
        "Handles are ordinary objects and take attributes.",
        {"attributes_of_handles": {"of Rados": "-> None", "of Ioctx": "-> None"}},
    ),
    "aware-times": Difference(
        "Points in time are aware, in UTC, as in the standard binding of Ceph 20.",
        {
            "trash_times": {"deletion_time": "UTC", "deferment_end_time": "UTC"},
            "more_facts": {
                "create_timestamp()": "-> (<class datetime>, True, 0)",
                "access_timestamp()": "-> (<class datetime>, True, 0)",
                "modify_timestamp()": "-> (<class datetime>, True, 0)",
            },
            "snapshot_facts": {"timestamp": "-> (<class datetime>, True, 0)"},
        },
    ),
    "buffers": Difference(
        "Data may be any C-contiguous buffer.",
        {
            "write_buffers": {
                "write(bytearray(b'xyz'), 0)": "-> 3",
                "read(0, 3)": "-> b'xyz'",
                "write(memoryview, 0)": "-> 3",
                "read(0, 3) #2": "-> b'xyz'",
                "write(array, 0)": "-> 3",
                "read(0, 3) #3": "-> b'xyz'",
            },
            "callbacks_write_buffers": {
                "aio_write(memoryview, 0, oncomplete)": "-> (<class Completion>, None, True, 0)",
                "called with #2": "[(<class Completion>, 0)]",
                "read(0, 3) #2": "-> b'xyz'",
                "aio_write(array, 0, oncomplete)": "-> (<class Completion>, None, True, 0)",
                "called with #3": "[(<class Completion>, 0)]",
                "read(0, 3) #3": "-> b'xyz'",
            },
            "objects_of_buffers": {
                "write('a', bytearray(b'abc'))": "-> 0",
                "write_full('a', bytearray(b'abc'))": "-> 0",
                "append('a', bytearray(b'abc'))": "-> 0",
                "set_xattr('a', 'k', bytearray(b'abc'))": "-> True",
                "write('a', memoryview)": "-> 0",
                "write_full('a', memoryview)": "-> 0",
                "append('a', memoryview)": "-> 0",
                "set_xattr('a', 'k', memoryview)": "-> True",
            },
        },
    ),
    "bytes-names": Difference(
        "rados takes names as bytes, too, as rbd does.",
        {
            "commands": {"mon_command(b'x', b'')": "-> (-22, b'', 'unparseable JSON x')"},
            "objects_with_names_as_bytes": {
                "write(b'a', b'abc')": "-> 0",
                "read(b'a')": "-> b'abc'",
                "remove_object(b'a')": "-> True",
                "pool_exists(b'<pool>')": "-> True",
                "pool_lookup(b'none')": "-> None",
                "create_pool(b'<pool>')": "!! rados.ObjectExists errno 17",
                "delete_pool(b'none')": "!! rados.ObjectNotFound errno 2",
                "open_ioctx(b'none')": "!! rados.ObjectNotFound errno 2",
                "conf_get(b'rbd_cache')": "-> 'true'",
                "set_namespace(b'n')": "-> None",
                "set_locator_key(b'l')": "-> None",
            },
            "notifying_in_vain": {"notify('a', b'bytes')": "-> True"},
            "object_locks": {
                "lock_exclusive(b'bytes', 'w', 'c')": "-> None",
                "lock_exclusive('a', b'bytes', 'c')": "-> None",
                "lock_exclusive('a', 'w1', b'bytes')": "-> None",
                "lock_exclusive('a', 'w2', 'c', b'bytes')": "-> None",
                "lock_shared('a', 'w3', 'c', b'bytes')": "-> None",
                "unlock(b'bytes', 'l', 'c')": "!! rados.ObjectNotFound errno 2",
            },
        },
    ),
    "callbacks-are-checked": Difference(
        "Callbacks are checked before anything is done.",
        {
            "opened_without_a_callback": {"aio_open_image(None, Ioctx, 'a')": "!! TypeError"},
            "progress_not_callable": {
                "remove(Ioctx, 'none', on_progress=5)": "!! TypeError",
                "flatten(on_progress=5)": "!! TypeError",
            },
            "diff_callback_not_called": {
                "diff_iterate(0, 16777216, None, 5)": "!! TypeError",
                "diff_iterate(0, 16777216, 'none', 5)": "!! TypeError",
                "diff_iterate(0, 0, None, 5)": "!! TypeError",
            },
            "object_aio_callbacks": {"aio_write('a', b'x', 0, 5)": "!! TypeError"},
        },
    ),
    "closed-pool": Difference(
        "A closed I/O context refuses every call.",
        {
            "closed_ioctx": {
                "get_namespace()": "!! rados.IoctxStateError errno None",
                "get_locator_key()": "!! rados.IoctxStateError errno None",
                "get_pool_id()": "!! rados.IoctxStateError errno None",
                "dup()": "!! rados.IoctxStateError errno None",
            }
        },
    ),
    "comparison-results": Difference(
        "Ioctx.cmpext tells a difference in the first byte, and errors, as what they are.",
        {
            "single_calls": {
                "cmpext('none', b'x')": "!! rados.ObjectNotFound errno 2",
                "cmpext('a', b'Content')": "-> -4095",
            }
        },
    ),
    "connect-timeout": Difference(
        "connect(timeout=) is a real timeout, so it must be a number.",
        {"connect_timeout_of_wrong_type": {"connect('x')": "!! TypeError"}},
    ),
    "data-pool-of-migrations": Difference(
        "A migration into another data pool works.",
        {
            "migration_with_options": {
                "prepare (1, 22, None, None, '<pool>')": "-> None",
                "features() #4": "-> 513",
                "migration_abort(Ioctx, 'source') #4": "-> None",
                "prepare (61, 22, None, None, 'none')": "!! rbd.ImageNotFound errno 2",
            }
        },
    ),
    "diff-stops": Difference(
        "diff_iterate stops at once when its callback returns a negative number.",
        {
            "diff_callback": {
                "returns -1: calls": "1",
                "returns -2: diff_iterate(0, 16777216, None, hand)": "!! rbd.ImageNotFound errno 2",
                "returns -2: calls": "1",
                "returns -5: calls": "1",
                "returns -22: calls": "1",
                "returns -125: calls": "1",
                "returns -4095: calls": "1",
                "returns 2147483648: diff_iterate(0, 16777216, None, hand)": "-> None",
                "returns 2147483648: calls": "4",
                "returns 1099511627776: diff_iterate(0, 16777216, None, hand)": "-> None",
                "returns 1099511627776: calls": "4",
                "returns -2147483648: calls": "1",
                "returns -5000: calls": "1",
            },
        },
    ),
    "discard-long": Difference(
        "discard works for more than 2 GiB.",
        {
            "discard_long": {
                "discard(0, 2147483648)": "-> None",
                "discard(0, 4294967296)": "-> None",
                "discard(0, 4294971392)": "-> None",
                "discard(0, 9223372036854775807)": "-> None",
                "discard(0, 9223372036854775808)": "-> None",
                "discard(0, 18446744073709551615)": "-> None",
                "read(0, 8388608)": "-> bytes*8388608 2daeb1f36095b44b",
            }
        },
    ),
    "dup": Difference(
        "Ioctx.dup keeps the locator key.",
        {"namespaces_and_locators": {"dup": "-> ('<pool>', 'open', 'n', 'l')"}},
    ),
    "empty-map-values": Difference(
        "Empty values of a map are b''; None stands for keys without their values.",
        {"omaps_with_empty_values": {"found": "-> [('a', b'')]"}},
    ),
    "empty-values": Difference(
        "Empty values of metadata are listed.",
        {"pool_metadata_of_nothing": {"listed": "-> ''"}},
    ),
    "exceptions-made-by-hand": Difference(
        "All exceptions can be made of a message alone.",
        {"exceptions": {"rados.ExtendMismatch: of a message": "-> <class ExtendMismatch>"}},
    ),
    "features-0": Difference(
        "features=0, the documented default of clone and copy, means the cluster's default.",
        {
            "clone_without_features": {
                "clone(Ioctx, 'parent', 's', Ioctx, 'zero', features=0)": "-> None",
                "clone(Ioctx, 'parent', 's', Ioctx, 'zeros', 0, None, 0, 0)": "-> None",
                "made": "-> 61",
            },
            "copy_without_features": {"facts of 'zero': features()": "-> 61"},
        },
    ),
    "floats": Difference(
        "Floats are refused where integers are expected.",
        {
            "create_float": {
                "create(Ioctx, 'a', 1.5)": "!! TypeError",
                "create(Ioctx, 'b', 1048576, 22.0)": "!! TypeError",
            },
            "floats": {
                "write(b'xyz', 1.0)": "!! TypeError",
                "read(0.0, 1)": "!! TypeError",
                "discard(0.0, 1)": "!! TypeError",
                "resize(4194304.0)": "!! TypeError",
                "diff_iterate(0.0, 1, None, print)": "!! TypeError",
                "update_features(16.0, False)": "!! TypeError",
            },
            "mirror_mode": {"mirror_mode_set(Ioctx, 1.0)": "!! TypeError"},
        },
    ),
    "introspection": Difference(
        "Methods have names, signatures and docstrings.",
        {
            "image_attributes": {
                "name": "-> 'a'",
                "documented": "-> True",
                "signature": "-> 0",
                "repr": "-> False",
            }
        },
    ),
    "keywords": Difference(
        "Every argument can be given by keyword.",
        {
            "group_snapshots": {
                "rollback_to_snap(name='none')": "!! rbd.ObjectNotFound errno 2",
                "remove_snap(snap_name='none')": "!! rbd.ObjectNotFound errno 2",
            },
            "keywords_of_single_arguments": {
                "set_snap(name='s')": "-> None",
                "is_protected_snap(name='s')": "-> False",
                "protect_snap(name='s')": "-> None",
                "unprotect_snap(name='s')": "-> None",
                "rollback_to_snap(name='s')": "-> None",
                "remove_snap(name='s')": "-> None",
                "lock_exclusive(cookie='c')": "-> None",
                "unlock(cookie='c')": "-> None",
                "conf_get(option='rbd_cache')": "-> 'true'",
                "pool_exists(pool_name='<pool>')": "-> True",
                "pool_lookup(pool_name='none')": "-> None",
                "delete_pool(pool_name='none')": "!! rados.ObjectNotFound errno 2",
                "open_ioctx(ioctx_name='none')": "!! rados.ObjectNotFound errno 2",
                "open_ioctx2(pool_id=12345)": "!! rados.ObjectNotFound errno 2",
                "pool_reverse_lookup(pool_id=12345)": "-> None",
                "get_xattrs(oid='a')": "-> []",
                "stat(key='a')": "-> <class tuple>",
                "remove_object(key='a')": "-> True",
                "set_namespace(nspace='n')": "-> None",
                "set_locator_key(loc_key='l')": "-> None",
                "set_read(snap_id=18446744073709551614)": "-> None",
            },
            "managed_lock": {"lock_acquire(lock_mode=0)": "-> None"},
            "callbacks_keywords": {"aio_flush(oncomplete=_told)": "-> 0"},
        },
    ),
    "member-of-group": Difference(
        "Removing a member of a group raises today's class.",
        {"group_images": {"remove(Ioctx, 'a')": "!! rbd.ImageMemberOfGroup errno 31"}},
    ),
    "listings-again": Difference(
        "Metadata can be iterated over again.",
        {
            "pool_metadata_twice": {"twice": "-> 70"},
            "metadata_iterator": {"again": "-> 100"},
        },
    ),
    "mirror-modes": Difference(
        "Modes that there are not are refused before librbd takes them.",
        {"mirror_image_unmirrored": {"mirror_image_enable(9)": "!! rbd.InvalidArgument errno 22"}},
    ),
    "more-about-parents": Difference(
        "The parent's facts are those of the standard binding of Ceph 20.",
        {
            "generations": {
                "get_parent_image_spec()": (
                    "-> {'pool_id': <class int>, 'pool_name': '<pool>', 'pool_namespace': '', "
                    "'image_id': <class str>, 'image_name': 'parent', 'trash': False, "
                    "'snap_id': <class int>, 'snap_namespace_type': 0, 'snap_name': 's'}"
                )
            },
            "trashed_snapshots": {
                "get_parent_image_spec()": (
                    "-> {'pool_id': <class int>, 'pool_name': '<pool>', 'pool_namespace': '', "
                    "'image_id': <class str>, 'image_name': 'parent', 'trash': False, "
                    "'snap_id': <class int>, 'snap_namespace_type': 2, 'snap_name': <class str>}"
                )
            },
        },
    ),
    "name-of-pool": Difference(
        "An I/O context opened by number knows the name of its pool.",
        {"name_of_pool_opened_by_number": {"name": "-> '<pool>'"}},
    ),
    "names-not-utf8": Difference(
        "Names that are not UTF-8 can be read back; such str raise InvalidArgument.",
        {
            "create_names": {"get_name() #4": "-> 'a-latin\\udce9'"},
            "names_not_utf8": {
                "create(Ioctx, '\\ud800', 1048576)": "!! rbd.InvalidArgument errno 22",
                "remove(Ioctx, '\\ud800')": "!! rbd.InvalidArgument errno 22",
            },
        },
    ),
    "no-arguments": Difference(
        "conf_parse_argv always returns a list.",
        {
            "arguments_and_environment": {
                "conf_parse_argv([])": "-> []",
                "conf_parse_argv(None)": "-> []",
            }
        },
    ),
    "no-number": Difference(
        "A threshold that is not a number is refused.",
        {
            "trash_purge_of_no_number": {
                "trash_purge(Ioctx, None, nan)": "!! rbd.InvalidArgument errno 22"
            }
        },
    ),
    "lock-durations": Difference(
        "A lock lasts for 0 seconds (for ever) or more.",
        {
            "object_locks": {
                "lock_exclusive('a', 'd1', 'c', '', -1)": "!! rados.InvalidArgumentError errno 22",
                "lock_exclusive('a', 'd2', 'c', '', 1099511627776)": (
                    "!! rados.InvalidArgumentError errno 22"
                ),
            }
        },
    ),
    "no-locator": Difference(
        "set_locator_key(None) removes the key.",
        {"namespace_none": {"set_locator_key(None)": "-> None", "get_locator_key()": "-> ''"}},
    ),
    "notifications-are-bytes": Difference(
        "What is told, and replied, with a notification is bytes, also if it is nothing.",
        {
            "watching": {
                "called with": "[((<class int>, <class int>, <class int>, <class bytes>), b'')]",
                "told #3": "(0, <class list>, True, True, b'', [])",
                "told #4": "(0, <class list>, True, True, b'', [])",
            }
        },
    ),
    "nul-in-names": Difference(
        "Names with a NUL are refused, not cut off.",
        {
            "names_with_nul": {
                "create(Ioctx, 'x\\x00y', 1048576)": "!! rbd.InvalidArgument errno 22",
                "Image(Ioctx, 'plain\\x00x')": "!! rbd.InvalidArgument errno 22",
                "create_snap('s\\x00t')": "!! rbd.InvalidArgument errno 22",
                "rename(Ioctx, 'nothing\\x00x', 'more')": "!! rbd.InvalidArgument errno 22",
            }
        },
    ),
    "objects-with-callbacks": Difference(
        "No more than there is is read, and onsafe is called also without oncomplete.",
        {
            "object_aio_read_of_nothing": {
                "called with": "[(<class Completion>, 0, b'')]",
                "called with #2": "[(<class Completion>, 0, b'')]",
            },
            "object_aio_only_safe": {"called": "[0]"},
        },
    ),
    "os-errors": Difference(
        "Errors are builtin OSErrors, and can be pickled.",
        {
            "errors_are_os_errors": {
                "OSError": "True",
                "FileNotFoundError": "True",
                "strerror": "True",
                "repr of bytes": "False",
                "pickle": "-> True",
                "rados OSError": "True",
                "rados pickle": "-> True",
            }
        },
    ),
    "operation-time": Difference(
        "Without a time given, the time of an operation is that of the last change; one that the "
        "cluster cannot store is refused.",
        {
            "operations_without_a_time": {"stat('a')": "-> True"},
            "operations_at_impossible_times": {
                f"operate_write_op(WriteOpCtx, 'a', mtime={mtime})": "!! OverflowError"
                for mtime in (-1, 1 << 32, (1 << 32) + 5, (1 << 63) - 1)
            },
        },
    ),
    "operations-once": Difference(
        "An operation is performed once.",
        {
            "operations_again": {
                "operate_write_op(WriteOp, 'a') #2": "!! rados.LogicError errno None",
                "append(b'2')": "!! rados.LogicError errno None",
                "operate_write_op(WriteOp, 'a') #3": "!! rados.LogicError errno None",
                "read('a')": "-> b'1'",
            }
        },
    ),
    "progress-exceptions": Difference(
        "Exceptions of progress functions are raised.",
        {"remove_progress_none": {"remove(Ioctx, 'raises', raises)": "!! KeyError"}},
    ),
    "resize-same-size": Difference(
        "resize to the current size asks librbd, which may refuse.",
        {
            "resize": {
                "resize(1048576)": "!! rbd.ReadOnlyImage errno 30",
                "resize(1048576, False) #2": "!! rbd.ReadOnlyImage errno 30",
            }
        },
    ),
    "snapshot-ids": Difference(
        "Ids of snapshots have the same range everywhere.",
        {
            "snapshot_facts": {
                "snap_get_name(-1)": "!! OverflowError",
                "snap_get_name(18446744073709551613)": "!! rbd.ImageNotFound errno 2",
            },
            "select_by_id": {
                "set_snap_by_id(-1)": "!! OverflowError",
                "set_snap_by_id(18446744073709551613)": "!! rbd.ImageNotFound errno 2",
            },
        },
    ),
    "survives": Difference(
        "Calls that end the process of the standard binding are errors.",
        {
            "deadly_create_without_ioctx": {"create(None, 'a', 1048576)": "!! TypeError"},
            "deadly_list_without_ioctx": {"list(None)": "!! TypeError"},
            "deadly_list_of_closed_ioctx": {"list(Ioctx)": "!! rados.IoctxStateError errno None"},
            "deadly_group_create_without_ioctx": {"group_create(None, 'a')": "!! TypeError"},
            "deadly_group_list_without_ioctx": {"group_list(None)": "!! TypeError"},
            "deadly_group_list_of_closed_ioctx": {
                "group_list(Ioctx)": "!! rados.IoctxStateError errno None"
            },
            "deadly_group_of_closed_ioctx": {
                "list_images()": "!! rados.IoctxStateError errno None"
            },
            "deadly_group_with_image_of_closed_ioctx": {
                "add_image(Ioctx, 'a')": "!! rados.IoctxStateError errno None"
            },
            "deadly_group_with_image_without_ioctx": {"add_image(None, 'a')": "!! TypeError"},
            "deadly_images_of_no_group": {"GroupImageIterator(None)": "!! TypeError"},
            "deadly_object_io_in_closed_ioctx": {
                "aio_write('x', b'x')": "!! rados.IoctxStateError errno None"
            },
            "deadly_open_without_ioctx": {"Image(None, 'a')": "!! TypeError"},
            "deadly_open_in_closed_ioctx": {
                "Image(Ioctx, 'a')": "!! rados.IoctxStateError errno None"
            },
            "deadly_open_of_number": {"Image(Ioctx, 5)": "!! rbd.InvalidArgument errno 22"},
            "deadly_open_of_surrogate": {
                "Image(Ioctx, '\\ud800')": "!! rbd.InvalidArgument errno 22"
            },
            "deadly_copy_without_ioctx": {"copy(None, 'copy')": "!! TypeError"},
            "deadly_deep_copy_without_ioctx": {"deep_copy(None, 'copy')": "!! TypeError"},
            "deadly_migration_status_without_ioctx": {
                "migration_status(None, 'a')": "!! TypeError"
            },
            "deadly_timestamp_of_unknown_snapshot": {
                "get_snap_timestamp(4711)": "!! rbd.ImageNotFound errno 2"
            },
            "deadly_clone_of_nameless_snapshot": {
                "clone(Ioctx, 'parent', '', Ioctx, 'clone')": "!! rbd.InvalidArgument errno 22"
            },
            "deadly_statistics_before_connect": {
                "get_cluster_stats()": "!! rados.RadosStateError errno None"
            },
            "deadly_name_of_closed_pool": {
                "get_pool_name()": "!! rados.IoctxStateError errno None"
            },
            "deadly_pg_command": {
                "pg_command('garbage', '{\"prefix\": \"query\"}', b'')": "-> -22"
            },
            "deadly_open_without_arguments": {"Image()": "!! TypeError"},
            "deadly_open_with_unknown_argument": {"Image(Ioctx, 'a', foo=1)": "!! TypeError"},
            "deadly_addresses_before_connect": {
                "get_addrs()": "!! rados.RadosStateError errno None"
            },
            "deadly_step_of_released_operation": {"append(b'x')": "!! rados.LogicError errno None"},
            "deadly_operation_released_twice": {"release()": "-> None"},
            "deadly_step_without_create": {"append(b'x')": "!! rados.LogicError errno None"},
            "deadly_flags_without_step": {"set_flags(1)": "!! rados.LogicError errno None"},
            "deadly_no_operation": {"operate_write_op(None, 'a')": "!! TypeError"},
            "deadly_omap_before_it_is_read": {"found": "!! rados.LogicError errno None"},
            "deadly_alignment_of_closed_pool": {
                "alignment()": "!! rados.IoctxStateError errno None"
            },
        },
    ),
    "text-input": Difference(
        "Commands take their input as str, too.",
        {"command_input_as_text": {"mon_command('{\"prefix\": \"fsid\"}', '')": "-> 0"}},
    ),
    "truth-values": Difference(
        "Flags may be any object that is true or false.",
        {
            "diff_truth": {
                "diff_iterate(0, 16777216, None, <lambda>, -1, -1)": "-> None",
                "diff_iterate(0, 16777216, None, <lambda>, 'yes', 'yes')": "-> None",
                "diff_iterate(0, 16777216, None, <lambda>, '', '')": "-> None",
                "diff_iterate(0, 16777216, None, <lambda>, None, None)": "-> None",
                "diff_iterate(0, 16777216, None, <lambda>, [], [])": "-> None",
            }
        },
    ),
    "unheard-exceptions": Difference(
        "Exceptions of callbacks that nobody waits for are not dropped.",
        {
            "callbacks_that_raise_unheard": {"told": "[<class KeyError>]"},
            "object_aio_callbacks": {"aio_write('a', b'x', 0, failing)": "!! ZeroDivisionError"},
        },
    ),
    "wrong-objects": Difference(
        "Objects of a wrong type are a TypeError.",
        {
            "services_of_clients": {"service_daemon_update(5)": "!! TypeError"},
            "snap_iterator": {"SnapIterator(None)": "!! TypeError"},
            "arguments_and_environment": {"conf_parse_argv('text')": "!! TypeError"},
            "object_class": {
                "seek(-5)": "!! OverflowError",
                "read(1)": "-> b'4'",
                "seek('x')": "!! TypeError",
            },
            "group_of": {"Group(None, 'a')": "!! TypeError"},
            "config_of_no_image": {"ConfigImageIterator(None)": "!! TypeError"},
            "trash_purge_of_no_time": {
                "trash_purge(Ioctx, 5)": "!! TypeError",
                "trash_purge(Ioctx, 'x')": "!! TypeError",
            },
            "metadata_iterator": {"MetadataIterator(None)": "!! TypeError"},
            "generations": {"ChildIterator(None)": "!! TypeError"},
            "select_by_id": {"set_snap_by_id([])": "!! TypeError"},
        },
    ),
    "writing-nothing": Difference(
        "Writing nothing does not make an object longer.",
        {
            "writing_nothing": {
                "stat('write2')": "-> 3",
                "stat('step2')": "-> 3",
                "stat('aio2')": "-> 3",
                "stat('new')": "-> 0",
            }
        },
    ),
}

#: {(what the standard binding does, what ours does): key}: differences of many calls.
GENERAL: dict[tuple[str, str], str] = {
    ("!! rbd.InvalidArgument errno None", "!! rbd.InvalidArgument errno 22"): "errno-of-own-errors",
}
