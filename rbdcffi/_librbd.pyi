# Generated from cdefs/ by scripts/generate-stub; do not edit.

from collections.abc import Callable
from typing import Any

class FFI:
    NULL: Any
    def new(self, cdecl: Any, init: Any = ...) -> Any: ...
    def new_allocator(
        self, alloc: Any = ..., free: Any = ..., should_clear_after_alloc: bool = ...
    ) -> Callable[..., Any]: ...
    def new_handle(self, x: object) -> Any: ...
    def from_handle(self, cdata: Any) -> Any: ...
    def gc(self, cdata: Any, destructor: Any, size: int = ...) -> Any: ...
    def string(self, cdata: Any, maxlen: int = ...) -> bytes: ...
    def unpack(self, cdata: Any, length: int) -> Any: ...
    def buffer(self, cdata: Any, size: int = ...) -> Any: ...
    def from_buffer(self, cdecl: Any, buffer: Any = ..., require_writable: bool = ...) -> Any: ...
    def memmove(self, dest: Any, src: Any, n: int) -> None: ...
    def sizeof(self, cdecl: Any) -> int: ...
    def typeof(self, cdecl: Any) -> Any: ...
    def cast(self, cdecl: Any, value: Any) -> Any: ...
    def addressof(self, cdata: Any, *fields: Any) -> Any: ...
    def release(self, cdata: Any) -> None: ...
    def def_extern(
        self, name: str = ..., error: Any = ..., onerror: Callable[..., Any] | None = ...
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...

ffi: FFI

def new_bytes(length: int, /) -> bytes: ...

class Lib:
    RBDCFFI_CLUSTER: int
    RBDCFFI_IOCTX: int
    RBDCFFI_IMAGE: int
    RBDCFFI_REFUSED: int
    RBDCFFI_CLOSED: int
    RBDCFFI_FORKED: int
    RBDCFFI_WRONG_KIND: int
    RBDCFFI_ABSENT: int
    RBDCFFI_REENTERED: int
    RBDCFFI_NEVER_OPENED: int
    RBDCFFI_BUSY: int
    RBDCFFI_IN_HOOK: int
    RBDCFFI_UNWRITTEN: int
    def rbdcffi_handle_init(self, handle: Any, kind: int, raw: Any, /) -> None: ...
    def rbdcffi_handle_joins(self, handle: Any, parent: Any, /) -> None: ...
    def rbdcffi_alone_patience(self, milliseconds: int, /) -> int: ...
    def rbdcffi_turn_patience(self, milliseconds: int, /) -> int: ...
    def rbdcffi_thread_in_hook(self, image: Any, /) -> None: ...
    def rbdcffi_thread_is_in_hook(self) -> int: ...
    def rbdcffi_handle_swap(self, handle: Any, other: Any, /) -> int: ...
    def rbdcffi_close_quietly(self, image: Any, ioctx: Any, /) -> int: ...
    def rbdcffi_handle_state(self, handle: Any, /) -> int: ...
    def rbdcffi_handle_hold(self, handle: Any, /) -> int: ...
    def rbdcffi_handle_drop(self, handle: Any, /) -> None: ...
    def rbdcffi_stay_begin(self, stay: Any, handle: Any, /) -> int: ...
    def rbdcffi_stay_inside(self, stay: Any, handle: Any, /) -> None: ...
    def rbdcffi_stay_enter(self, stay: Any, handle: Any, /) -> int: ...
    def rbdcffi_stay_end(self, stay: Any, /) -> None: ...
    def rbdcffi_handle_shut(self, handle: Any, /) -> int: ...
    def rbdcffi_handle_drained(self, handle: Any, milliseconds: int, /) -> int: ...
    def rbdcffi_handle_entered(self, handle: Any, /) -> int: ...
    def rbdcffi_thread_entered(self) -> int: ...
    def rbdcffi_thread_is_lent(self) -> int: ...
    def rbdcffi_handle_uses(self, handle: Any, /) -> int: ...
    def rbdcffi_handle_destroyed(self, handle: Any, /) -> int: ...
    def rbdcffi_symbols(self) -> Any: ...
    def rbdcffi_symbol_count(self) -> int: ...
    def rbdcffi_secret_new(self, size: int, /) -> Any: ...
    def rbdcffi_secret_has_nul(self, secret: Any, /) -> int: ...
    def rbdcffi_secret_free(self, secret: Any, /) -> None: ...
    def rbdcffi_close_image(self, image: Any, /) -> int: ...
    def rbdcffi_unflushed(self, image: Any, /) -> int: ...
    def rbdcffi_family_fsid(self, handle: Any, fsid: Any, length: int, /) -> int: ...
    rbdcffi_on_extents: Any
    rbdcffi_on_progress: Any
    def rbdcffi_progress(self, done: int, total: int, callback: Any, /) -> int: ...
    def rbdcffi_end_callbacks(self, milliseconds: int, /) -> None: ...
    def rbdcffi_no_progress(self, done: int, total: int, data: Any, /) -> int: ...
    def rbdcffi_extents_init(
        self,
        extents: Any,
        capacity: int,
        offsets: Any,
        lengths: Any,
        exists: Any,
        callback: Any,
        /,
    ) -> None: ...
    def rbdcffi_extents_add(
        self,
        offset: int,
        length: int,
        exists: int,
        extents: Any,
        /,
    ) -> int: ...
    def rbdcffi_extents_take(
        self,
        extents: Any,
        offsets: Any,
        lengths: Any,
        exists: Any,
        milliseconds: int,
        /,
    ) -> int: ...
    def rbdcffi_extents_stop(self, extents: Any, /) -> None: ...
    def rbdcffi_extents_finish(self, extents: Any, /) -> None: ...
    def rbdcffi_extents_finished(self, extents: Any, /) -> int: ...
    def rbdcffi_add_new_bytes(self) -> int: ...
    def rbdcffi_crc32c(self, buffer: Any, length: int, /) -> int: ...
    RBDCFFI_HUGE: int
    def rbdcffi_get_size(self, image: Any, /) -> int: ...
    def rbdcffi_get_features(self, image: Any, /) -> int: ...
    def rbdcffi_get_op_features(self, image: Any, /) -> int: ...
    def rbdcffi_get_flags(self, image: Any, /) -> int: ...
    def rbdcffi_get_overlap(self, image: Any, /) -> int: ...
    def rbdcffi_get_stripe_unit(self, image: Any, /) -> int: ...
    def rbdcffi_get_stripe_count(self, image: Any, /) -> int: ...
    def rbdcffi_snap_get_timestamp(self, image: Any, snap_id: int, timestamp: Any, /) -> int: ...
    def rbdcffi_queue_new(self) -> Any: ...
    def rbdcffi_queue_free(self, queue: Any, /) -> None: ...
    def rbdcffi_forget_operations(self) -> None: ...
    def rbdcffi_queue_fd(self, queue: Any, /) -> int: ...
    def rbdcffi_queue_drain(
        self,
        queue: Any,
        tokens: Any,
        results: Any,
        capacity: int,
        /,
    ) -> int: ...
    def rbdcffi_queue_push(self, queue: Any, token: int, result: int, /) -> int: ...
    def rbdcffi_queue_wake(self, queue: Any, /) -> None: ...
    def rbdcffi_queue_has_room(self, queue: Any, operations: int, bytes: int, /) -> int: ...
    def rbdcffi_aio_read(
        self,
        image: Any,
        queue: Any,
        token: int,
        offset: int,
        length: int,
        buffer: Any,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_aio_write(
        self,
        image: Any,
        queue: Any,
        token: int,
        offset: int,
        length: int,
        buffer: Any,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_aio_readv(
        self,
        image: Any,
        queue: Any,
        token: int,
        iov: Any,
        count: int,
        offset: int,
        /,
    ) -> int: ...
    def rbdcffi_aio_writev(
        self,
        image: Any,
        queue: Any,
        token: int,
        iov: Any,
        count: int,
        offset: int,
        /,
    ) -> int: ...
    def rbdcffi_aio_discard(
        self,
        image: Any,
        queue: Any,
        token: int,
        offset: int,
        length: int,
        /,
    ) -> int: ...
    def rbdcffi_aio_write_zeroes(
        self,
        image: Any,
        queue: Any,
        token: int,
        offset: int,
        length: int,
        zero_flags: int,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_aio_flush(self, image: Any, queue: Any, token: int, /) -> int: ...
    def rbdcffi_aio_compare_and_write(
        self,
        image: Any,
        queue: Any,
        token: int,
        offset: int,
        length: int,
        compare: Any,
        buffer: Any,
        mismatch: Any,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_aio_open(
        self,
        image: Any,
        queue: Any,
        token: int,
        ioctx: Any,
        name: Any,
        snap: Any,
        by_id: int,
        read_only: int,
        /,
    ) -> int: ...
    def rbdcffi_aio_writesame(
        self,
        image: Any,
        queue: Any,
        token: int,
        offset: int,
        length: int,
        buffer: Any,
        size: int,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_aio_compare_and_writev(
        self,
        image: Any,
        queue: Any,
        token: int,
        offset: int,
        compare: Any,
        compare_count: int,
        iov: Any,
        count: int,
        mismatch: Any,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_aio_write_with_crc32c(
        self,
        image: Any,
        queue: Any,
        token: int,
        offset: int,
        length: int,
        buffer: Any,
        crc32c: int,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_compare_and_writev(
        self,
        image: Any,
        offset: int,
        compare: Any,
        compare_count: int,
        iov: Any,
        count: int,
        mismatch: Any,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_write_with_crc32c(
        self,
        image: Any,
        offset: int,
        length: int,
        buffer: Any,
        crc32c: int,
        flags: int,
        /,
    ) -> int: ...
    RBDCFFI_WATCH_UPDATES: int
    RBDCFFI_WATCH_QUIESCE: int
    RBDCFFI_EVENT_NONE: int
    RBDCFFI_EVENT_ENDED: int
    RBDCFFI_EVENT_UPDATED: int
    RBDCFFI_EVENT_QUIESCE: int
    RBDCFFI_EVENT_UNQUIESCE: int
    def rbdcffi_watch_start(self, image: Any, watch: Any, kind: int, /) -> int: ...
    def rbdcffi_watch_next(self, watch: Any, /) -> int: ...
    def rbdcffi_watch_answer(self, watch: Any, result: int, /) -> int: ...
    def rbdcffi_watch_ended(self, watch: Any, /) -> int: ...
    def rbdcffi_watch_end(self, watch: Any, /) -> int: ...
    def rbdcffi_watch_free(self, watch: Any, /) -> None: ...
    RBDCFFI_NOTICE_NOTIFY: int
    RBDCFFI_NOTICE_ERROR: int
    RBDCFFI_NOTICE_MISSED: int
    RBDCFFI_NOTICE_LOG: int
    def rbdcffi_notices_watch(
        self,
        io: Any,
        notices: Any,
        oid: Any,
        timeout: int,
        capacity: int,
        /,
    ) -> int: ...
    def rbdcffi_notices_unwatch(self, notices: Any, /) -> int: ...
    def rbdcffi_notices_log(
        self,
        cluster: Any,
        notices: Any,
        level: Any,
        old: int,
        capacity: int,
        /,
    ) -> int: ...
    def rbdcffi_notices_end(self, notices: Any, /) -> None: ...
    def rbdcffi_notices_ended(self, notices: Any, /) -> int: ...
    def rbdcffi_notices_next(self, notices: Any, /) -> Any: ...
    def rbdcffi_notice_free(self, notice: Any, /) -> None: ...
    def rbdcffi_notices_free(self, notices: Any, /) -> None: ...
    LIBRADOS_VER_MAJOR: int
    LIBRADOS_VER_MINOR: int
    LIBRADOS_VER_EXTRA: int
    LIBRADOS_SUPPORTS_WATCH: int
    LIBRADOS_SUPPORTS_SERVICES: int
    LIBRADOS_SUPPORTS_GETADDRS: int
    LIBRADOS_SUPPORTS_APP_METADATA: int
    def rados_version(self, major: Any, minor: Any, extra: Any, /) -> None: ...
    def rados_create(self, cluster: Any, id: Any, /) -> int: ...
    def rados_create2(self, pcluster: Any, clustername: Any, name: Any, flags: int, /) -> int: ...
    def rados_create_with_context(self, cluster: Any, cct: Any, /) -> int: ...
    def rados_connect(self, cluster: Any, /) -> int: ...
    def rados_shutdown(self, cluster: Any, /) -> None: ...
    def rados_conf_read_file(self, cluster: Any, path: Any, /) -> int: ...
    def rados_conf_parse_argv(self, cluster: Any, argc: int, argv: Any, /) -> int: ...
    def rados_conf_parse_argv_remainder(
        self,
        cluster: Any,
        argc: int,
        argv: Any,
        remargv: Any,
        /,
    ) -> int: ...
    def rados_conf_parse_env(self, cluster: Any, var: Any, /) -> int: ...
    def rados_conf_set(self, cluster: Any, option: Any, value: Any, /) -> int: ...
    def rados_conf_get(self, cluster: Any, option: Any, buf: Any, len: int, /) -> int: ...
    def rados_cluster_stat(self, cluster: Any, result: Any, /) -> int: ...
    def rados_cluster_fsid(self, cluster: Any, buf: Any, len: int, /) -> int: ...
    def rados_wait_for_latest_osdmap(self, cluster: Any, /) -> int: ...
    def rados_pool_list(self, cluster: Any, buf: Any, len: int, /) -> int: ...
    def rados_inconsistent_pg_list(self, cluster: Any, pool: int, buf: Any, len: int, /) -> int: ...
    def rados_cct(self, cluster: Any, /) -> Any: ...
    def rados_get_instance_id(self, cluster: Any, /) -> int: ...
    def rados_get_min_compatible_osd(self, cluster: Any, require_osd_release: Any, /) -> int: ...
    def rados_get_min_compatible_client(
        self,
        cluster: Any,
        min_compat_client: Any,
        require_min_compat_client: Any,
        /,
    ) -> int: ...
    def rados_pool_lookup(self, cluster: Any, pool_name: Any, /) -> int: ...
    def rados_pool_reverse_lookup(self, cluster: Any, id: int, buf: Any, maxlen: int, /) -> int: ...
    def rados_pool_create(self, cluster: Any, pool_name: Any, /) -> int: ...
    def rados_pool_create_with_auid(self, cluster: Any, pool_name: Any, auid: int, /) -> int: ...
    def rados_pool_create_with_crush_rule(
        self,
        cluster: Any,
        pool_name: Any,
        crush_rule_num: int,
        /,
    ) -> int: ...
    def rados_pool_create_with_all(
        self,
        cluster: Any,
        pool_name: Any,
        auid: int,
        crush_rule_num: int,
        /,
    ) -> int: ...
    def rados_pool_get_base_tier(self, cluster: Any, pool: int, base_tier: Any, /) -> int: ...
    def rados_pool_delete(self, cluster: Any, pool_name: Any, /) -> int: ...
    def rados_getaddrs(self, cluster: Any, addrs: Any, /) -> int: ...
    LIBRADOS_ALL_NSPACES: Any
    def rados_ioctx_create(self, cluster: Any, pool_name: Any, ioctx: Any, /) -> int: ...
    def rados_ioctx_create2(self, cluster: Any, pool_id: int, ioctx: Any, /) -> int: ...
    def rados_ioctx_destroy(self, io: Any, /) -> None: ...
    def rados_ioctx_cct(self, io: Any, /) -> Any: ...
    def rados_ioctx_get_cluster(self, io: Any, /) -> Any: ...
    def rados_ioctx_pool_stat(self, io: Any, stats: Any, /) -> int: ...
    def rados_ioctx_pool_set_auid(self, io: Any, auid: int, /) -> int: ...
    def rados_ioctx_pool_get_auid(self, io: Any, auid: Any, /) -> int: ...
    def rados_ioctx_pool_requires_alignment(self, io: Any, /) -> int: ...
    def rados_ioctx_pool_requires_alignment2(self, io: Any, req: Any, /) -> int: ...
    def rados_ioctx_pool_required_alignment(self, io: Any, /) -> int: ...
    def rados_ioctx_pool_required_alignment2(self, io: Any, alignment: Any, /) -> int: ...
    def rados_ioctx_get_id(self, io: Any, /) -> int: ...
    def rados_ioctx_get_pool_name(self, io: Any, buf: Any, maxlen: int, /) -> int: ...
    def rados_ioctx_locator_set_key(self, io: Any, key: Any, /) -> None: ...
    def rados_ioctx_set_namespace(self, io: Any, nspace: Any, /) -> None: ...
    def rados_ioctx_get_namespace(self, io: Any, buf: Any, maxlen: int, /) -> int: ...
    def rados_get_last_version(self, io: Any, /) -> int: ...
    def rados_set_osdmap_full_try(self, io: Any, /) -> None: ...
    def rados_unset_osdmap_full_try(self, io: Any, /) -> None: ...
    def rados_set_pool_full_try(self, io: Any, /) -> None: ...
    def rados_unset_pool_full_try(self, io: Any, /) -> None: ...
    def rados_application_enable(self, io: Any, app_name: Any, force: int, /) -> int: ...
    def rados_application_list(self, io: Any, values: Any, values_len: Any, /) -> int: ...
    def rados_application_metadata_get(
        self,
        io: Any,
        app_name: Any,
        key: Any,
        value: Any,
        value_len: Any,
        /,
    ) -> int: ...
    def rados_application_metadata_set(
        self,
        io: Any,
        app_name: Any,
        key: Any,
        value: Any,
        /,
    ) -> int: ...
    def rados_application_metadata_remove(self, io: Any, app_name: Any, key: Any, /) -> int: ...
    def rados_application_metadata_list(
        self,
        io: Any,
        app_name: Any,
        keys: Any,
        key_len: Any,
        values: Any,
        vals_len: Any,
        /,
    ) -> int: ...
    def rados_getxattr(self, io: Any, o: Any, name: Any, buf: Any, len: int, /) -> int: ...
    def rados_setxattr(self, io: Any, o: Any, name: Any, buf: Any, len: int, /) -> int: ...
    def rados_rmxattr(self, io: Any, o: Any, name: Any, /) -> int: ...
    def rados_getxattrs(self, io: Any, oid: Any, iter: Any, /) -> int: ...
    def rados_getxattrs_next(self, iter: Any, name: Any, val: Any, len: Any, /) -> int: ...
    def rados_getxattrs_end(self, iter: Any, /) -> None: ...
    def rados_aio_create_completion(
        self,
        cb_arg: Any,
        cb_complete: Any,
        cb_safe: Any,
        pc: Any,
        /,
    ) -> int: ...
    def rados_aio_create_completion2(self, cb_arg: Any, cb_complete: Any, pc: Any, /) -> int: ...
    def rados_aio_wait_for_complete(self, c: Any, /) -> int: ...
    def rados_aio_wait_for_safe(self, c: Any, /) -> int: ...
    def rados_aio_is_complete(self, c: Any, /) -> int: ...
    def rados_aio_is_safe(self, c: Any, /) -> int: ...
    def rados_aio_wait_for_complete_and_cb(self, c: Any, /) -> int: ...
    def rados_aio_wait_for_safe_and_cb(self, c: Any, /) -> int: ...
    def rados_aio_is_complete_and_cb(self, c: Any, /) -> int: ...
    def rados_aio_is_safe_and_cb(self, c: Any, /) -> int: ...
    def rados_aio_get_return_value(self, c: Any, /) -> int: ...
    def rados_aio_get_version(self, c: Any, /) -> int: ...
    def rados_aio_release(self, c: Any, /) -> None: ...
    def rados_aio_write(
        self,
        io: Any,
        oid: Any,
        completion: Any,
        buf: Any,
        len: int,
        off: int,
        /,
    ) -> int: ...
    def rados_aio_append(
        self,
        io: Any,
        oid: Any,
        completion: Any,
        buf: Any,
        len: int,
        /,
    ) -> int: ...
    def rados_aio_write_full(
        self,
        io: Any,
        oid: Any,
        completion: Any,
        buf: Any,
        len: int,
        /,
    ) -> int: ...
    def rados_aio_writesame(
        self,
        io: Any,
        oid: Any,
        completion: Any,
        buf: Any,
        data_len: int,
        write_len: int,
        off: int,
        /,
    ) -> int: ...
    def rados_aio_remove(self, io: Any, oid: Any, completion: Any, /) -> int: ...
    def rados_aio_read(
        self,
        io: Any,
        oid: Any,
        completion: Any,
        buf: Any,
        len: int,
        off: int,
        /,
    ) -> int: ...
    def rados_aio_flush(self, io: Any, /) -> int: ...
    def rados_aio_flush_async(self, io: Any, completion: Any, /) -> int: ...
    def rados_aio_stat(
        self,
        io: Any,
        o: Any,
        completion: Any,
        psize: Any,
        pmtime: Any,
        /,
    ) -> int: ...
    def rados_aio_stat2(
        self,
        io: Any,
        o: Any,
        completion: Any,
        psize: Any,
        pmtime: Any,
        /,
    ) -> int: ...
    def rados_aio_cmpext(
        self,
        io: Any,
        o: Any,
        completion: Any,
        cmp_buf: Any,
        cmp_len: int,
        off: int,
        /,
    ) -> int: ...
    def rados_aio_cancel(self, io: Any, completion: Any, /) -> int: ...
    def rados_aio_exec(
        self,
        io: Any,
        o: Any,
        completion: Any,
        cls: Any,
        method: Any,
        in_buf: Any,
        in_len: int,
        buf: Any,
        out_len: int,
        /,
    ) -> int: ...
    def rados_aio_getxattr(
        self,
        io: Any,
        o: Any,
        completion: Any,
        name: Any,
        buf: Any,
        len: int,
        /,
    ) -> int: ...
    def rados_aio_setxattr(
        self,
        io: Any,
        o: Any,
        completion: Any,
        name: Any,
        buf: Any,
        len: int,
        /,
    ) -> int: ...
    def rados_aio_rmxattr(self, io: Any, o: Any, completion: Any, name: Any, /) -> int: ...
    def rados_aio_getxattrs(self, io: Any, oid: Any, completion: Any, iter: Any, /) -> int: ...
    def rados_ping_monitor(
        self,
        cluster: Any,
        mon_id: Any,
        outstr: Any,
        outstrlen: Any,
        /,
    ) -> int: ...
    def rados_blocklist_add(
        self,
        cluster: Any,
        client_address: Any,
        expire_seconds: int,
        /,
    ) -> int: ...
    def rados_blacklist_add(
        self,
        cluster: Any,
        client_address: Any,
        expire_seconds: int,
        /,
    ) -> int: ...
    def rados_mon_command(
        self,
        cluster: Any,
        cmd: Any,
        cmdlen: int,
        inbuf: Any,
        inbuflen: int,
        outbuf: Any,
        outbuflen: Any,
        outs: Any,
        outslen: Any,
        /,
    ) -> int: ...
    def rados_mgr_command(
        self,
        cluster: Any,
        cmd: Any,
        cmdlen: int,
        inbuf: Any,
        inbuflen: int,
        outbuf: Any,
        outbuflen: Any,
        outs: Any,
        outslen: Any,
        /,
    ) -> int: ...
    def rados_mgr_command_target(
        self,
        cluster: Any,
        name: Any,
        cmd: Any,
        cmdlen: int,
        inbuf: Any,
        inbuflen: int,
        outbuf: Any,
        outbuflen: Any,
        outs: Any,
        outslen: Any,
        /,
    ) -> int: ...
    def rados_mon_command_target(
        self,
        cluster: Any,
        name: Any,
        cmd: Any,
        cmdlen: int,
        inbuf: Any,
        inbuflen: int,
        outbuf: Any,
        outbuflen: Any,
        outs: Any,
        outslen: Any,
        /,
    ) -> int: ...
    def rados_buffer_free(self, buf: Any, /) -> None: ...
    def rados_osd_command(
        self,
        cluster: Any,
        osdid: int,
        cmd: Any,
        cmdlen: int,
        inbuf: Any,
        inbuflen: int,
        outbuf: Any,
        outbuflen: Any,
        outs: Any,
        outslen: Any,
        /,
    ) -> int: ...
    def rados_pg_command(
        self,
        cluster: Any,
        pgstr: Any,
        cmd: Any,
        cmdlen: int,
        inbuf: Any,
        inbuflen: int,
        outbuf: Any,
        outbuflen: Any,
        outs: Any,
        outslen: Any,
        /,
    ) -> int: ...
    def rados_monitor_log(self, cluster: Any, level: Any, cb: Any, arg: Any, /) -> int: ...
    def rados_monitor_log2(self, cluster: Any, level: Any, cb: Any, arg: Any, /) -> int: ...
    def rados_service_register(
        self,
        cluster: Any,
        service: Any,
        daemon: Any,
        metadata_dict: Any,
        /,
    ) -> int: ...
    def rados_service_update_status(self, cluster: Any, status_dict: Any, /) -> int: ...
    LIBRADOS_CREATE_EXCLUSIVE: int
    LIBRADOS_CREATE_IDEMPOTENT: int
    CEPH_OSD_TMAP_HDR: int
    CEPH_OSD_TMAP_SET: int
    CEPH_OSD_TMAP_CREATE: int
    CEPH_OSD_TMAP_RM: int
    LIBRADOS_OP_FLAG_EXCL: int
    LIBRADOS_OP_FLAG_FAILOK: int
    LIBRADOS_OP_FLAG_FADVISE_RANDOM: int
    LIBRADOS_OP_FLAG_FADVISE_SEQUENTIAL: int
    LIBRADOS_OP_FLAG_FADVISE_WILLNEED: int
    LIBRADOS_OP_FLAG_FADVISE_DONTNEED: int
    LIBRADOS_OP_FLAG_FADVISE_NOCACHE: int
    LIBRADOS_OP_FLAG_FADVISE_FUA: int
    LIBRADOS_ALLOC_HINT_FLAG_SEQUENTIAL_WRITE: int
    LIBRADOS_ALLOC_HINT_FLAG_RANDOM_WRITE: int
    LIBRADOS_ALLOC_HINT_FLAG_SEQUENTIAL_READ: int
    LIBRADOS_ALLOC_HINT_FLAG_RANDOM_READ: int
    LIBRADOS_ALLOC_HINT_FLAG_APPEND_ONLY: int
    LIBRADOS_ALLOC_HINT_FLAG_IMMUTABLE: int
    LIBRADOS_ALLOC_HINT_FLAG_SHORTLIVED: int
    LIBRADOS_ALLOC_HINT_FLAG_LONGLIVED: int
    LIBRADOS_ALLOC_HINT_FLAG_COMPRESSIBLE: int
    LIBRADOS_ALLOC_HINT_FLAG_INCOMPRESSIBLE: int
    LIBRADOS_ALLOC_HINT_FLAG_LOG: int
    LIBRADOS_CHECKSUM_TYPE_XXHASH32: int
    LIBRADOS_CHECKSUM_TYPE_XXHASH64: int
    LIBRADOS_CHECKSUM_TYPE_CRC32C: int
    def rados_write(self, io: Any, oid: Any, buf: Any, len: int, off: int, /) -> int: ...
    def rados_write_full(self, io: Any, oid: Any, buf: Any, len: int, /) -> int: ...
    def rados_writesame(
        self,
        io: Any,
        oid: Any,
        buf: Any,
        data_len: int,
        write_len: int,
        off: int,
        /,
    ) -> int: ...
    def rados_append(self, io: Any, oid: Any, buf: Any, len: int, /) -> int: ...
    def rados_read(self, io: Any, oid: Any, buf: Any, len: int, off: int, /) -> int: ...
    def rados_checksum(
        self,
        io: Any,
        oid: Any,
        type: int,
        init_value: Any,
        init_value_len: int,
        len: int,
        off: int,
        chunk_size: int,
        pchecksum: Any,
        checksum_len: int,
        /,
    ) -> int: ...
    def rados_remove(self, io: Any, oid: Any, /) -> int: ...
    def rados_trunc(self, io: Any, oid: Any, size: int, /) -> int: ...
    def rados_cmpext(self, io: Any, o: Any, cmp_buf: Any, cmp_len: int, off: int, /) -> int: ...
    def rados_stat(self, io: Any, o: Any, psize: Any, pmtime: Any, /) -> int: ...
    def rados_stat2(self, io: Any, o: Any, psize: Any, pmtime: Any, /) -> int: ...
    def rados_exec(
        self,
        io: Any,
        oid: Any,
        cls: Any,
        method: Any,
        in_buf: Any,
        in_len: int,
        buf: Any,
        out_len: int,
        /,
    ) -> int: ...
    def rados_cache_pin(self, io: Any, o: Any, /) -> int: ...
    def rados_cache_unpin(self, io: Any, o: Any, /) -> int: ...
    def rados_set_alloc_hint(
        self,
        io: Any,
        o: Any,
        expected_object_size: int,
        expected_write_size: int,
        /,
    ) -> int: ...
    def rados_set_alloc_hint2(
        self,
        io: Any,
        o: Any,
        expected_object_size: int,
        expected_write_size: int,
        flags: int,
        /,
    ) -> int: ...
    def rados_nobjects_list_open(self, io: Any, ctx: Any, /) -> int: ...
    def rados_nobjects_list_get_pg_hash_position(self, ctx: Any, /) -> int: ...
    def rados_nobjects_list_seek(self, ctx: Any, pos: int, /) -> int: ...
    def rados_nobjects_list_seek_cursor(self, ctx: Any, cursor: Any, /) -> int: ...
    def rados_nobjects_list_get_cursor(self, ctx: Any, cursor: Any, /) -> int: ...
    def rados_nobjects_list_next(self, ctx: Any, entry: Any, key: Any, nspace: Any, /) -> int: ...
    def rados_nobjects_list_next2(
        self,
        ctx: Any,
        entry: Any,
        key: Any,
        nspace: Any,
        entry_size: Any,
        key_size: Any,
        nspace_size: Any,
        /,
    ) -> int: ...
    def rados_nobjects_list_close(self, ctx: Any, /) -> None: ...
    def rados_object_list_begin(self, io: Any, /) -> Any: ...
    def rados_object_list_end(self, io: Any, /) -> Any: ...
    def rados_object_list_is_end(self, io: Any, cur: Any, /) -> int: ...
    def rados_object_list_cursor_free(self, io: Any, cur: Any, /) -> None: ...
    def rados_object_list_cursor_cmp(self, io: Any, lhs: Any, rhs: Any, /) -> int: ...
    def rados_object_list(
        self,
        io: Any,
        start: Any,
        finish: Any,
        result_size: int,
        filter_buf: Any,
        filter_buf_len: int,
        results: Any,
        next: Any,
        /,
    ) -> int: ...
    def rados_object_list_free(self, result_size: int, results: Any, /) -> None: ...
    def rados_object_list_slice(
        self,
        io: Any,
        start: Any,
        finish: Any,
        n: int,
        m: int,
        split_start: Any,
        split_finish: Any,
        /,
    ) -> None: ...
    def rados_objects_list_open(self, io: Any, ctx: Any, /) -> int: ...
    def rados_objects_list_get_pg_hash_position(self, ctx: Any, /) -> int: ...
    def rados_objects_list_seek(self, ctx: Any, pos: int, /) -> int: ...
    def rados_objects_list_next(self, ctx: Any, entry: Any, key: Any, /) -> int: ...
    def rados_objects_list_close(self, ctx: Any, /) -> None: ...
    def rbdcffi_list_page(
        self,
        listing: Any,
        page: Any,
        sizes: Any,
        most: int,
        count: Any,
        /,
    ) -> int: ...
    def rbdcffi_page_free(self, page: Any, /) -> None: ...
    def rbdcffi_cursor_free(self, cursor: Any, /) -> None: ...
    LIBRADOS_SNAP_HEAD: int
    LIBRADOS_SNAP_DIR: int
    def rados_ioctx_snap_create(self, io: Any, snapname: Any, /) -> int: ...
    def rados_ioctx_snap_remove(self, io: Any, snapname: Any, /) -> int: ...
    def rados_ioctx_snap_rollback(self, io: Any, oid: Any, snapname: Any, /) -> int: ...
    def rados_rollback(self, io: Any, oid: Any, snapname: Any, /) -> int: ...
    def rados_ioctx_snap_set_read(self, io: Any, snap: int, /) -> None: ...
    def rados_ioctx_selfmanaged_snap_create(self, io: Any, snapid: Any, /) -> int: ...
    def rados_aio_ioctx_selfmanaged_snap_create(
        self,
        io: Any,
        snapid: Any,
        completion: Any,
        /,
    ) -> None: ...
    def rados_ioctx_selfmanaged_snap_remove(self, io: Any, snapid: int, /) -> int: ...
    def rados_aio_ioctx_selfmanaged_snap_remove(
        self,
        io: Any,
        snapid: int,
        completion: Any,
        /,
    ) -> None: ...
    def rados_ioctx_selfmanaged_snap_rollback(self, io: Any, oid: Any, snapid: int, /) -> int: ...
    def rados_ioctx_selfmanaged_snap_set_write_ctx(
        self,
        io: Any,
        seq: int,
        snaps: Any,
        num_snaps: int,
        /,
    ) -> int: ...
    def rados_ioctx_snap_list(self, io: Any, snaps: Any, maxlen: int, /) -> int: ...
    def rados_ioctx_snap_lookup(self, io: Any, name: Any, id: Any, /) -> int: ...
    def rados_ioctx_snap_get_name(self, io: Any, id: int, name: Any, maxlen: int, /) -> int: ...
    def rados_ioctx_snap_get_stamp(self, io: Any, id: int, t: Any, /) -> int: ...
    LIBRADOS_CMPXATTR_OP_EQ: int
    LIBRADOS_CMPXATTR_OP_NE: int
    LIBRADOS_CMPXATTR_OP_GT: int
    LIBRADOS_CMPXATTR_OP_GTE: int
    LIBRADOS_CMPXATTR_OP_LT: int
    LIBRADOS_CMPXATTR_OP_LTE: int
    LIBRADOS_OPERATION_NOFLAG: int
    LIBRADOS_OPERATION_BALANCE_READS: int
    LIBRADOS_OPERATION_LOCALIZE_READS: int
    LIBRADOS_OPERATION_ORDER_READS_WRITES: int
    LIBRADOS_OPERATION_IGNORE_CACHE: int
    LIBRADOS_OPERATION_SKIPRWLOCKS: int
    LIBRADOS_OPERATION_IGNORE_OVERLAY: int
    LIBRADOS_OPERATION_FULL_TRY: int
    LIBRADOS_OPERATION_FULL_FORCE: int
    LIBRADOS_OPERATION_IGNORE_REDIRECT: int
    LIBRADOS_OPERATION_ORDERSNAP: int
    LIBRADOS_OPERATION_RETURNVEC: int
    def rados_create_write_op(self) -> Any: ...
    def rados_release_write_op(self, write_op: Any, /) -> None: ...
    def rados_write_op_set_flags(self, write_op: Any, flags: int, /) -> None: ...
    def rados_write_op_assert_exists(self, write_op: Any, /) -> None: ...
    def rados_write_op_assert_version(self, write_op: Any, ver: int, /) -> None: ...
    def rados_write_op_cmpext(
        self,
        write_op: Any,
        cmp_buf: Any,
        cmp_len: int,
        off: int,
        prval: Any,
        /,
    ) -> None: ...
    def rados_write_op_cmpxattr(
        self,
        write_op: Any,
        name: Any,
        comparison_operator: int,
        value: Any,
        value_len: int,
        /,
    ) -> None: ...
    def rados_write_op_setxattr(
        self,
        write_op: Any,
        name: Any,
        value: Any,
        value_len: int,
        /,
    ) -> None: ...
    def rados_write_op_rmxattr(self, write_op: Any, name: Any, /) -> None: ...
    def rados_write_op_create(self, write_op: Any, exclusive: int, category: Any, /) -> None: ...
    def rados_write_op_write(
        self,
        write_op: Any,
        buffer: Any,
        len: int,
        offset: int,
        /,
    ) -> None: ...
    def rados_write_op_write_full(self, write_op: Any, buffer: Any, len: int, /) -> None: ...
    def rados_write_op_writesame(
        self,
        write_op: Any,
        buffer: Any,
        data_len: int,
        write_len: int,
        offset: int,
        /,
    ) -> None: ...
    def rados_write_op_append(self, write_op: Any, buffer: Any, len: int, /) -> None: ...
    def rados_write_op_remove(self, write_op: Any, /) -> None: ...
    def rados_write_op_truncate(self, write_op: Any, offset: int, /) -> None: ...
    def rados_write_op_zero(self, write_op: Any, offset: int, len: int, /) -> None: ...
    def rados_write_op_exec(
        self,
        write_op: Any,
        cls: Any,
        method: Any,
        in_buf: Any,
        in_len: int,
        prval: Any,
        /,
    ) -> None: ...
    def rados_write_op_set_alloc_hint(
        self,
        write_op: Any,
        expected_object_size: int,
        expected_write_size: int,
        /,
    ) -> None: ...
    def rados_write_op_set_alloc_hint2(
        self,
        write_op: Any,
        expected_object_size: int,
        expected_write_size: int,
        flags: int,
        /,
    ) -> None: ...
    def rados_write_op_operate(
        self,
        write_op: Any,
        io: Any,
        oid: Any,
        mtime: Any,
        flags: int,
        /,
    ) -> int: ...
    def rados_write_op_operate2(
        self,
        write_op: Any,
        io: Any,
        oid: Any,
        mtime: Any,
        flags: int,
        /,
    ) -> int: ...
    def rados_aio_write_op_operate(
        self,
        write_op: Any,
        io: Any,
        completion: Any,
        oid: Any,
        mtime: Any,
        flags: int,
        /,
    ) -> int: ...
    def rados_aio_write_op_operate2(
        self,
        write_op: Any,
        io: Any,
        completion: Any,
        oid: Any,
        mtime: Any,
        flags: int,
        /,
    ) -> int: ...
    def rados_create_read_op(self) -> Any: ...
    def rados_release_read_op(self, read_op: Any, /) -> None: ...
    def rados_read_op_set_flags(self, read_op: Any, flags: int, /) -> None: ...
    def rados_read_op_assert_exists(self, read_op: Any, /) -> None: ...
    def rados_read_op_assert_version(self, read_op: Any, ver: int, /) -> None: ...
    def rados_read_op_cmpext(
        self,
        read_op: Any,
        cmp_buf: Any,
        cmp_len: int,
        off: int,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_cmpxattr(
        self,
        read_op: Any,
        name: Any,
        comparison_operator: int,
        value: Any,
        value_len: int,
        /,
    ) -> None: ...
    def rados_read_op_getxattrs(self, read_op: Any, iter: Any, prval: Any, /) -> None: ...
    def rados_read_op_stat(self, read_op: Any, psize: Any, pmtime: Any, prval: Any, /) -> None: ...
    def rados_read_op_stat2(self, read_op: Any, psize: Any, pmtime: Any, prval: Any, /) -> None: ...
    def rados_read_op_read(
        self,
        read_op: Any,
        offset: int,
        len: int,
        buffer: Any,
        bytes_read: Any,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_checksum(
        self,
        read_op: Any,
        type: int,
        init_value: Any,
        init_value_len: int,
        offset: int,
        len: int,
        chunk_size: int,
        pchecksum: Any,
        checksum_len: int,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_exec(
        self,
        read_op: Any,
        cls: Any,
        method: Any,
        in_buf: Any,
        in_len: int,
        out_buf: Any,
        out_len: Any,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_exec_user_buf(
        self,
        read_op: Any,
        cls: Any,
        method: Any,
        in_buf: Any,
        in_len: int,
        out_buf: Any,
        out_len: int,
        used_len: Any,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_operate(self, read_op: Any, io: Any, oid: Any, flags: int, /) -> int: ...
    def rados_aio_read_op_operate(
        self,
        read_op: Any,
        io: Any,
        completion: Any,
        oid: Any,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_object_read(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        buffer: Any,
        length: int,
        offset: int,
        /,
    ) -> int: ...
    def rbdcffi_object_write(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        buffer: Any,
        length: int,
        offset: int,
        /,
    ) -> int: ...
    def rbdcffi_object_write_full(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        buffer: Any,
        length: int,
        /,
    ) -> int: ...
    def rbdcffi_object_append(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        buffer: Any,
        length: int,
        /,
    ) -> int: ...
    def rbdcffi_object_writesame(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        buffer: Any,
        size: int,
        length: int,
        offset: int,
        /,
    ) -> int: ...
    def rbdcffi_object_remove(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        /,
    ) -> int: ...
    def rbdcffi_object_stat(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        size: Any,
        changed: Any,
        /,
    ) -> int: ...
    def rbdcffi_object_stat2(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        size: Any,
        changed: Any,
        /,
    ) -> int: ...
    def rbdcffi_object_cmpext(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        buffer: Any,
        length: int,
        offset: int,
        /,
    ) -> int: ...
    def rbdcffi_object_exec(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        cls: Any,
        method: Any,
        input: Any,
        input_length: int,
        buffer: Any,
        length: int,
        /,
    ) -> int: ...
    def rbdcffi_object_getxattr(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        name: Any,
        buffer: Any,
        length: int,
        /,
    ) -> int: ...
    def rbdcffi_object_setxattr(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        name: Any,
        buffer: Any,
        length: int,
        /,
    ) -> int: ...
    def rbdcffi_object_rmxattr(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        name: Any,
        /,
    ) -> int: ...
    def rbdcffi_object_getxattrs(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        iterator: Any,
        /,
    ) -> int: ...
    def rbdcffi_object_write_op(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        steps: Any,
        changed: Any,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_object_read_op(
        self,
        ioctx: Any,
        queue: Any,
        token: int,
        io: Any,
        oid: Any,
        steps: Any,
        flags: int,
        /,
    ) -> int: ...
    def rbdcffi_object_flush(self, ioctx: Any, queue: Any, token: int, io: Any, /) -> int: ...
    def rbdcffi_object_cancel(self, ioctx: Any, io: Any, /) -> int: ...
    def rados_omap_get_next(self, iter: Any, key: Any, val: Any, len: Any, /) -> int: ...
    def rados_omap_get_next2(
        self,
        iter: Any,
        key: Any,
        val: Any,
        key_len: Any,
        val_len: Any,
        /,
    ) -> int: ...
    def rados_omap_iter_size(self, iter: Any, /) -> int: ...
    def rados_omap_get_end(self, iter: Any, /) -> None: ...
    def rados_write_op_omap_cmp(
        self,
        write_op: Any,
        key: Any,
        comparison_operator: int,
        val: Any,
        val_len: int,
        prval: Any,
        /,
    ) -> None: ...
    def rados_write_op_omap_cmp2(
        self,
        write_op: Any,
        key: Any,
        comparison_operator: int,
        val: Any,
        key_len: int,
        val_len: int,
        prval: Any,
        /,
    ) -> None: ...
    def rados_write_op_omap_set(
        self,
        write_op: Any,
        keys: Any,
        vals: Any,
        lens: Any,
        num: int,
        /,
    ) -> None: ...
    def rados_write_op_omap_set2(
        self,
        write_op: Any,
        keys: Any,
        vals: Any,
        key_lens: Any,
        val_lens: Any,
        num: int,
        /,
    ) -> None: ...
    def rados_write_op_omap_rm_keys(self, write_op: Any, keys: Any, keys_len: int, /) -> None: ...
    def rados_write_op_omap_rm_keys2(
        self,
        write_op: Any,
        keys: Any,
        key_lens: Any,
        keys_len: int,
        /,
    ) -> None: ...
    def rados_write_op_omap_rm_range2(
        self,
        write_op: Any,
        key_begin: Any,
        key_begin_len: int,
        key_end: Any,
        key_end_len: int,
        /,
    ) -> None: ...
    def rados_write_op_omap_clear(self, write_op: Any, /) -> None: ...
    def rados_read_op_omap_cmp(
        self,
        read_op: Any,
        key: Any,
        comparison_operator: int,
        val: Any,
        val_len: int,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_omap_cmp2(
        self,
        read_op: Any,
        key: Any,
        comparison_operator: int,
        val: Any,
        key_len: int,
        val_len: int,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_omap_get_vals(
        self,
        read_op: Any,
        start_after: Any,
        filter_prefix: Any,
        max_return: int,
        iter: Any,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_omap_get_vals2(
        self,
        read_op: Any,
        start_after: Any,
        filter_prefix: Any,
        max_return: int,
        iter: Any,
        pmore: Any,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_omap_get_keys(
        self,
        read_op: Any,
        start_after: Any,
        max_return: int,
        iter: Any,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_omap_get_keys2(
        self,
        read_op: Any,
        start_after: Any,
        max_return: int,
        iter: Any,
        pmore: Any,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_omap_get_vals_by_keys(
        self,
        read_op: Any,
        keys: Any,
        keys_len: int,
        iter: Any,
        prval: Any,
        /,
    ) -> None: ...
    def rados_read_op_omap_get_vals_by_keys2(
        self,
        read_op: Any,
        keys: Any,
        num_keys: int,
        key_lens: Any,
        iter: Any,
        prval: Any,
        /,
    ) -> None: ...
    def rados_watch(
        self,
        io: Any,
        o: Any,
        ver: int,
        cookie: Any,
        watchcb: Any,
        arg: Any,
        /,
    ) -> int: ...
    def rados_watch2(
        self,
        io: Any,
        o: Any,
        cookie: Any,
        watchcb: Any,
        watcherrcb: Any,
        arg: Any,
        /,
    ) -> int: ...
    def rados_watch3(
        self,
        io: Any,
        o: Any,
        cookie: Any,
        watchcb: Any,
        watcherrcb: Any,
        timeout: int,
        arg: Any,
        /,
    ) -> int: ...
    def rados_aio_watch(
        self,
        io: Any,
        o: Any,
        completion: Any,
        handle: Any,
        watchcb: Any,
        watcherrcb: Any,
        arg: Any,
        /,
    ) -> int: ...
    def rados_aio_watch2(
        self,
        io: Any,
        o: Any,
        completion: Any,
        handle: Any,
        watchcb: Any,
        watcherrcb: Any,
        timeout: int,
        arg: Any,
        /,
    ) -> int: ...
    def rados_watch_check(self, io: Any, cookie: int, /) -> int: ...
    def rados_unwatch(self, io: Any, o: Any, cookie: int, /) -> int: ...
    def rados_unwatch2(self, io: Any, cookie: int, /) -> int: ...
    def rados_aio_unwatch(self, io: Any, cookie: int, completion: Any, /) -> int: ...
    def rados_notify(self, io: Any, o: Any, ver: int, buf: Any, buf_len: int, /) -> int: ...
    def rados_aio_notify(
        self,
        io: Any,
        o: Any,
        completion: Any,
        buf: Any,
        buf_len: int,
        timeout_ms: int,
        reply_buffer: Any,
        reply_buffer_len: Any,
        /,
    ) -> int: ...
    def rados_notify2(
        self,
        io: Any,
        o: Any,
        buf: Any,
        buf_len: int,
        timeout_ms: int,
        reply_buffer: Any,
        reply_buffer_len: Any,
        /,
    ) -> int: ...
    def rados_decode_notify_response(
        self,
        reply_buffer: Any,
        reply_buffer_len: int,
        acks: Any,
        nr_acks: Any,
        timeouts: Any,
        nr_timeouts: Any,
        /,
    ) -> int: ...
    def rados_free_notify_response(self, acks: Any, nr_acks: int, timeouts: Any, /) -> None: ...
    def rados_notify_ack(
        self,
        io: Any,
        o: Any,
        notify_id: int,
        cookie: int,
        buf: Any,
        buf_len: int,
        /,
    ) -> int: ...
    def rados_watch_flush(self, cluster: Any, /) -> int: ...
    def rados_aio_watch_flush(self, cluster: Any, completion: Any, /) -> int: ...
    LIBRADOS_LOCK_FLAG_RENEW: int
    LIBRADOS_LOCK_FLAG_MAY_RENEW: int
    LIBRADOS_LOCK_FLAG_MUST_RENEW: int
    def rados_lock_exclusive(
        self,
        io: Any,
        oid: Any,
        name: Any,
        cookie: Any,
        desc: Any,
        duration: Any,
        flags: int,
        /,
    ) -> int: ...
    def rados_lock_shared(
        self,
        io: Any,
        o: Any,
        name: Any,
        cookie: Any,
        tag: Any,
        desc: Any,
        duration: Any,
        flags: int,
        /,
    ) -> int: ...
    def rados_unlock(self, io: Any, o: Any, name: Any, cookie: Any, /) -> int: ...
    def rados_aio_unlock(
        self,
        io: Any,
        o: Any,
        name: Any,
        cookie: Any,
        completion: Any,
        /,
    ) -> int: ...
    def rados_list_lockers(
        self,
        io: Any,
        o: Any,
        name: Any,
        exclusive: Any,
        tag: Any,
        tag_len: Any,
        clients: Any,
        clients_len: Any,
        cookies: Any,
        cookies_len: Any,
        addrs: Any,
        addrs_len: Any,
        /,
    ) -> int: ...
    def rados_break_lock(self, io: Any, o: Any, name: Any, client: Any, cookie: Any, /) -> int: ...
    RBD_FEATURES_ALL: int
    RBD_FEATURES_DEFAULT: int
    RBD_FEATURES_DISABLE_ONLY: int
    RBD_FEATURES_IMPLICIT_ENABLE: int
    RBD_FEATURES_INCOMPATIBLE: int
    RBD_FEATURES_INTERNAL: int
    RBD_FEATURES_MUTABLE: int
    RBD_FEATURES_MUTABLE_INTERNAL: int
    RBD_FEATURES_RW_INCOMPATIBLE: int
    RBD_FEATURES_SINGLE_CLIENT: int
    RBD_FEATURE_DATA_POOL: int
    RBD_FEATURE_DEEP_FLATTEN: int
    RBD_FEATURE_DIRTY_CACHE: int
    RBD_FEATURE_EXCLUSIVE_LOCK: int
    RBD_FEATURE_FAST_DIFF: int
    RBD_FEATURE_JOURNALING: int
    RBD_FEATURE_LAYERING: int
    RBD_FEATURE_MIGRATING: int
    RBD_FEATURE_NON_PRIMARY: int
    RBD_FEATURE_OBJECT_MAP: int
    RBD_FEATURE_OPERATIONS: int
    RBD_FEATURE_STRIPINGV2: int
    RBD_FLAG_FAST_DIFF_INVALID: int
    RBD_FLAG_OBJECT_MAP_INVALID: int
    RBD_OPERATION_FEATURES_ALL: int
    RBD_OPERATION_FEATURE_CLONE_CHILD: int
    RBD_OPERATION_FEATURE_CLONE_PARENT: int
    RBD_OPERATION_FEATURE_GROUP: int
    RBD_OPERATION_FEATURE_SNAP_TRASH: int
    RBD_FEATURE_NAME_DATA_POOL: Any
    RBD_FEATURE_NAME_DEEP_FLATTEN: Any
    RBD_FEATURE_NAME_DIRTY_CACHE: Any
    RBD_FEATURE_NAME_EXCLUSIVE_LOCK: Any
    RBD_FEATURE_NAME_FAST_DIFF: Any
    RBD_FEATURE_NAME_JOURNALING: Any
    RBD_FEATURE_NAME_LAYERING: Any
    RBD_FEATURE_NAME_MIGRATING: Any
    RBD_FEATURE_NAME_NON_PRIMARY: Any
    RBD_FEATURE_NAME_OBJECT_MAP: Any
    RBD_FEATURE_NAME_OPERATIONS: Any
    RBD_FEATURE_NAME_STRIPINGV2: Any
    RBD_OPERATION_FEATURE_NAME_CLONE_CHILD: Any
    RBD_OPERATION_FEATURE_NAME_CLONE_PARENT: Any
    RBD_OPERATION_FEATURE_NAME_GROUP: Any
    RBD_OPERATION_FEATURE_NAME_SNAP_TRASH: Any
    EVENT_TYPE_PIPE: int
    EVENT_TYPE_EVENTFD: int
    def rbd_set_image_notification(self, image: Any, fd: int, type: int, /) -> int: ...
    def rbd_aio_create_completion(self, cb_arg: Any, complete_cb: Any, c: Any, /) -> int: ...
    def rbd_aio_is_complete(self, c: Any, /) -> int: ...
    def rbd_aio_wait_for_complete(self, c: Any, /) -> int: ...
    def rbd_aio_get_return_value(self, c: Any, /) -> int: ...
    def rbd_aio_get_arg(self, c: Any, /) -> Any: ...
    def rbd_aio_release(self, c: Any, /) -> None: ...
    def rbd_poll_io_events(self, image: Any, comps: Any, numcomp: int, /) -> int: ...
    RBD_IMAGE_OPTION_FORMAT: int
    RBD_IMAGE_OPTION_FEATURES: int
    RBD_IMAGE_OPTION_ORDER: int
    RBD_IMAGE_OPTION_STRIPE_UNIT: int
    RBD_IMAGE_OPTION_STRIPE_COUNT: int
    RBD_IMAGE_OPTION_JOURNAL_ORDER: int
    RBD_IMAGE_OPTION_JOURNAL_SPLAY_WIDTH: int
    RBD_IMAGE_OPTION_JOURNAL_POOL: int
    RBD_IMAGE_OPTION_FEATURES_SET: int
    RBD_IMAGE_OPTION_FEATURES_CLEAR: int
    RBD_IMAGE_OPTION_DATA_POOL: int
    RBD_IMAGE_OPTION_FLATTEN: int
    RBD_IMAGE_OPTION_CLONE_FORMAT: int
    RBD_IMAGE_OPTION_MIRROR_IMAGE_MODE: int
    def rbd_image_options_create(self, opts: Any, /) -> None: ...
    def rbd_image_options_destroy(self, opts: Any, /) -> None: ...
    def rbd_image_options_set_string(self, opts: Any, optname: int, optval: Any, /) -> int: ...
    def rbd_image_options_set_uint64(self, opts: Any, optname: int, optval: int, /) -> int: ...
    def rbd_image_options_get_string(
        self,
        opts: Any,
        optname: int,
        optval: Any,
        maxlen: int,
        /,
    ) -> int: ...
    def rbd_image_options_get_uint64(self, opts: Any, optname: int, optval: Any, /) -> int: ...
    def rbd_image_options_is_set(self, opts: Any, optname: int, is_set: Any, /) -> int: ...
    def rbd_image_options_unset(self, opts: Any, optname: int, /) -> int: ...
    def rbd_image_options_clear(self, opts: Any, /) -> None: ...
    def rbd_image_options_is_empty(self, opts: Any, /) -> int: ...
    LIBRBD_VER_MAJOR: int
    LIBRBD_VER_MINOR: int
    LIBRBD_VER_EXTRA: int
    LIBRBD_VERSION_CODE: int
    LIBRBD_SUPPORTS_AIO_FLUSH: int
    LIBRBD_SUPPORTS_AIO_OPEN: int
    LIBRBD_SUPPORTS_COMPARE_AND_WRITE: int
    LIBRBD_SUPPORTS_COMPARE_AND_WRITE_IOVEC: int
    LIBRBD_SUPPORTS_DIFF_ITERATE3: int
    LIBRBD_SUPPORTS_ENCRYPTION: int
    LIBRBD_SUPPORTS_ENCRYPTION_LOAD2: int
    LIBRBD_SUPPORTS_GROUP_SNAP_GET_INFO: int
    LIBRBD_SUPPORTS_INVALIDATE: int
    LIBRBD_SUPPORTS_IOVEC: int
    LIBRBD_SUPPORTS_LOCKING: int
    LIBRBD_SUPPORTS_WATCH: int
    LIBRBD_SUPPORTS_WRITESAME: int
    LIBRBD_SUPPORTS_WRITE_ZEROES: int
    RBD_MAX_IMAGE_NAME_SIZE: int
    RBD_MAX_BLOCK_NAME_SIZE: int
    def rbd_version(self, major: Any, minor: Any, extra: Any, /) -> None: ...
    def rbd_image_spec_cleanup(self, image: Any, /) -> None: ...
    def rbd_image_spec_list_cleanup(self, images: Any, num_images: int, /) -> None: ...
    def rbd_list(self, io: Any, names: Any, size: Any, /) -> int: ...
    def rbd_list2(self, io: Any, images: Any, max_images: Any, /) -> int: ...
    def rbd_create(self, io: Any, name: Any, size: int, order: Any, /) -> int: ...
    def rbd_create2(self, io: Any, name: Any, size: int, features: int, order: Any, /) -> int: ...
    def rbd_create3(
        self,
        io: Any,
        name: Any,
        size: int,
        features: int,
        order: Any,
        stripe_unit: int,
        stripe_count: int,
        /,
    ) -> int: ...
    def rbd_create4(self, io: Any, name: Any, size: int, opts: Any, /) -> int: ...
    def rbd_remove(self, io: Any, name: Any, /) -> int: ...
    def rbd_remove_with_progress(self, io: Any, name: Any, cb: Any, cbdata: Any, /) -> int: ...
    def rbd_rename(self, src_io_ctx: Any, srcname: Any, destname: Any, /) -> int: ...
    def rbd_open(self, io: Any, name: Any, image: Any, snap_name: Any, /) -> int: ...
    def rbd_open_by_id(self, io: Any, id: Any, image: Any, snap_name: Any, /) -> int: ...
    def rbd_aio_open(self, io: Any, name: Any, image: Any, snap_name: Any, c: Any, /) -> int: ...
    def rbd_aio_open_by_id(
        self,
        io: Any,
        id: Any,
        image: Any,
        snap_name: Any,
        c: Any,
        /,
    ) -> int: ...
    def rbd_open_read_only(self, io: Any, name: Any, image: Any, snap_name: Any, /) -> int: ...
    def rbd_open_by_id_read_only(self, io: Any, id: Any, image: Any, snap_name: Any, /) -> int: ...
    def rbd_aio_open_read_only(
        self,
        io: Any,
        name: Any,
        image: Any,
        snap_name: Any,
        c: Any,
        /,
    ) -> int: ...
    def rbd_aio_open_by_id_read_only(
        self,
        io: Any,
        id: Any,
        image: Any,
        snap_name: Any,
        c: Any,
        /,
    ) -> int: ...
    def rbd_close(self, image: Any, /) -> int: ...
    def rbd_aio_close(self, image: Any, c: Any, /) -> int: ...
    def rbd_resize(self, image: Any, size: int, /) -> int: ...
    def rbd_resize2(
        self,
        image: Any,
        size: int,
        allow_shrink: bool,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_resize_with_progress(self, image: Any, size: int, cb: Any, cbdata: Any, /) -> int: ...
    def rbd_rebuild_object_map(self, image: Any, cb: Any, cbdata: Any, /) -> int: ...
    def rbd_features_to_string(self, features: int, str_features: Any, size: Any, /) -> int: ...
    def rbd_features_from_string(self, str_features: Any, features: Any, /) -> int: ...
    def rbd_stat(self, image: Any, info: Any, infosize: int, /) -> int: ...
    def rbd_get_old_format(self, image: Any, old: Any, /) -> int: ...
    def rbd_get_size(self, image: Any, size: Any, /) -> int: ...
    def rbd_get_features(self, image: Any, features: Any, /) -> int: ...
    def rbd_get_op_features(self, image: Any, op_features: Any, /) -> int: ...
    def rbd_get_stripe_unit(self, image: Any, stripe_unit: Any, /) -> int: ...
    def rbd_get_stripe_count(self, image: Any, stripe_count: Any, /) -> int: ...
    def rbd_get_create_timestamp(self, image: Any, timestamp: Any, /) -> int: ...
    def rbd_get_access_timestamp(self, image: Any, timestamp: Any, /) -> int: ...
    def rbd_get_modify_timestamp(self, image: Any, timestamp: Any, /) -> int: ...
    def rbd_get_name(self, image: Any, name: Any, name_len: Any, /) -> int: ...
    def rbd_get_id(self, image: Any, id: Any, id_len: int, /) -> int: ...
    def rbd_get_block_name_prefix(self, image: Any, prefix: Any, prefix_len: int, /) -> int: ...
    def rbd_get_data_pool_id(self, image: Any, /) -> int: ...
    def rbd_get_flags(self, image: Any, flags: Any, /) -> int: ...
    RBD_WRITE_ZEROES_FLAG_THICK_PROVISION: int
    def rbd_read(self, image: Any, ofs: int, len: int, buf: Any, /) -> int: ...
    def rbd_read2(self, image: Any, ofs: int, len: int, buf: Any, op_flags: int, /) -> int: ...
    def rbd_read_iterate(self, image: Any, ofs: int, len: int, cb: Any, arg: Any, /) -> int: ...
    def rbd_read_iterate2(self, image: Any, ofs: int, len: int, cb: Any, arg: Any, /) -> int: ...
    def rbd_write(self, image: Any, ofs: int, len: int, buf: Any, /) -> int: ...
    def rbd_write2(self, image: Any, ofs: int, len: int, buf: Any, op_flags: int, /) -> int: ...
    def rbd_discard(self, image: Any, ofs: int, len: int, /) -> int: ...
    def rbd_writesame(
        self,
        image: Any,
        ofs: int,
        len: int,
        buf: Any,
        data_len: int,
        op_flags: int,
        /,
    ) -> int: ...
    def rbd_write_zeroes(
        self,
        image: Any,
        ofs: int,
        len: int,
        zero_flags: int,
        op_flags: int,
        /,
    ) -> int: ...
    def rbd_compare_and_write(
        self,
        image: Any,
        ofs: int,
        len: int,
        cmp_buf: Any,
        buf: Any,
        mismatch_off: Any,
        op_flags: int,
        /,
    ) -> int: ...
    def rbd_aio_write(self, image: Any, off: int, len: int, buf: Any, c: Any, /) -> int: ...
    def rbd_aio_write2(
        self,
        image: Any,
        off: int,
        len: int,
        buf: Any,
        c: Any,
        op_flags: int,
        /,
    ) -> int: ...
    def rbd_aio_write_with_crc32c(
        self,
        image: Any,
        off: int,
        len: int,
        buf: Any,
        precomputed_crc32c: int,
        c: Any,
        op_flags: int,
        /,
    ) -> int: ...
    def rbd_aio_writev(self, image: Any, iov: Any, iovcnt: int, off: int, c: Any, /) -> int: ...
    def rbd_aio_read(self, image: Any, off: int, len: int, buf: Any, c: Any, /) -> int: ...
    def rbd_aio_read2(
        self,
        image: Any,
        off: int,
        len: int,
        buf: Any,
        c: Any,
        op_flags: int,
        /,
    ) -> int: ...
    def rbd_aio_readv(self, image: Any, iov: Any, iovcnt: int, off: int, c: Any, /) -> int: ...
    def rbd_aio_discard(self, image: Any, off: int, len: int, c: Any, /) -> int: ...
    def rbd_aio_writesame(
        self,
        image: Any,
        off: int,
        len: int,
        buf: Any,
        data_len: int,
        c: Any,
        op_flags: int,
        /,
    ) -> int: ...
    def rbd_aio_write_zeroes(
        self,
        image: Any,
        off: int,
        len: int,
        c: Any,
        zero_flags: int,
        op_flags: int,
        /,
    ) -> int: ...
    def rbd_aio_compare_and_write(
        self,
        image: Any,
        off: int,
        len: int,
        cmp_buf: Any,
        buf: Any,
        c: Any,
        mismatch_off: Any,
        op_flags: int,
        /,
    ) -> int: ...
    def rbd_aio_compare_and_writev(
        self,
        image: Any,
        off: int,
        cmp_iov: Any,
        cmp_iovcnt: int,
        iov: Any,
        iovcnt: int,
        c: Any,
        mismatch_off: Any,
        op_flags: int,
        /,
    ) -> int: ...
    def rbd_flush(self, image: Any, /) -> int: ...
    def rbd_aio_flush(self, image: Any, c: Any, /) -> int: ...
    def rbd_invalidate_cache(self, image: Any, /) -> int: ...
    RBD_DIFF_ITERATE_FLAG_INCLUDE_PARENT: int
    RBD_DIFF_ITERATE_FLAG_WHOLE_OBJECT: int
    def rbd_diff_iterate(
        self,
        image: Any,
        fromsnapname: Any,
        ofs: int,
        len: int,
        cb: Any,
        arg: Any,
        /,
    ) -> int: ...
    def rbd_diff_iterate2(
        self,
        image: Any,
        fromsnapname: Any,
        ofs: int,
        len: int,
        include_parent: int,
        whole_object: int,
        cb: Any,
        arg: Any,
        /,
    ) -> int: ...
    def rbd_diff_iterate3(
        self,
        image: Any,
        from_snap_id: int,
        ofs: int,
        len: int,
        flags: int,
        cb: Any,
        arg: Any,
        /,
    ) -> int: ...
    RBD_SNAP_CREATE_SKIP_QUIESCE: int
    RBD_SNAP_CREATE_IGNORE_QUIESCE_ERROR: int
    RBD_SNAP_REMOVE_UNPROTECT: int
    RBD_SNAP_REMOVE_FLATTEN: int
    RBD_SNAP_REMOVE_FORCE: int
    RBD_SNAP_NAMESPACE_TYPE_USER: int
    RBD_SNAP_NAMESPACE_TYPE_GROUP: int
    RBD_SNAP_NAMESPACE_TYPE_TRASH: int
    RBD_SNAP_NAMESPACE_TYPE_MIRROR: int
    RBD_SNAP_MIRROR_STATE_PRIMARY: int
    RBD_SNAP_MIRROR_STATE_PRIMARY_DEMOTED: int
    RBD_SNAP_MIRROR_STATE_NON_PRIMARY: int
    RBD_SNAP_MIRROR_STATE_NON_PRIMARY_DEMOTED: int
    def rbd_snap_list(self, image: Any, snaps: Any, max_snaps: Any, /) -> int: ...
    def rbd_snap_list_end(self, snaps: Any, /) -> None: ...
    def rbd_snap_exists(self, image: Any, snapname: Any, exists: Any, /) -> int: ...
    def rbd_snap_create(self, image: Any, snapname: Any, /) -> int: ...
    def rbd_snap_create2(
        self,
        image: Any,
        snap_name: Any,
        flags: int,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_snap_remove(self, image: Any, snapname: Any, /) -> int: ...
    def rbd_snap_remove2(
        self,
        image: Any,
        snap_name: Any,
        flags: int,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_snap_remove_by_id(self, image: Any, snap_id: int, /) -> int: ...
    def rbd_snap_rollback(self, image: Any, snapname: Any, /) -> int: ...
    def rbd_snap_rollback_with_progress(
        self,
        image: Any,
        snapname: Any,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_snap_rename(self, image: Any, snapname: Any, dstsnapsname: Any, /) -> int: ...
    def rbd_snap_protect(self, image: Any, snap_name: Any, /) -> int: ...
    def rbd_snap_unprotect(self, image: Any, snap_name: Any, /) -> int: ...
    def rbd_snap_is_protected(self, image: Any, snap_name: Any, is_protected: Any, /) -> int: ...
    def rbd_snap_get_limit(self, image: Any, limit: Any, /) -> int: ...
    def rbd_snap_set_limit(self, image: Any, limit: int, /) -> int: ...
    def rbd_snap_get_timestamp(self, image: Any, snap_id: int, timestamp: Any, /) -> int: ...
    def rbd_snap_set(self, image: Any, snapname: Any, /) -> int: ...
    def rbd_snap_set_by_id(self, image: Any, snap_id: int, /) -> int: ...
    def rbd_snap_get_name(
        self,
        image: Any,
        snap_id: int,
        snapname: Any,
        name_len: Any,
        /,
    ) -> int: ...
    def rbd_snap_get_id(self, image: Any, snapname: Any, snap_id: Any, /) -> int: ...
    def rbd_snap_get_namespace_type(
        self,
        image: Any,
        snap_id: int,
        namespace_type: Any,
        /,
    ) -> int: ...
    def rbd_snap_get_group_namespace(
        self,
        image: Any,
        snap_id: int,
        group_snap: Any,
        group_snap_size: int,
        /,
    ) -> int: ...
    def rbd_snap_group_namespace_cleanup(self, group_snap: Any, group_snap_size: int, /) -> int: ...
    def rbd_snap_get_trash_namespace(
        self,
        image: Any,
        snap_id: int,
        original_name: Any,
        max_length: int,
        /,
    ) -> int: ...
    def rbd_snap_get_trash_namespace2(
        self,
        image: Any,
        snap_id: int,
        trash_snap: Any,
        trash_snap_size: int,
        /,
    ) -> int: ...
    def rbd_snap_trash_namespace_cleanup(self, trash_snap: Any, trash_snap_size: int, /) -> int: ...
    def rbd_snap_get_mirror_namespace(
        self,
        image: Any,
        snap_id: int,
        mirror_snap: Any,
        mirror_snap_size: int,
        /,
    ) -> int: ...
    def rbd_snap_mirror_namespace_cleanup(
        self,
        mirror_snap: Any,
        mirror_snap_size: int,
        /,
    ) -> int: ...
    def rbd_linked_image_spec_cleanup(self, image: Any, /) -> None: ...
    def rbd_linked_image_spec_list_cleanup(self, images: Any, num_images: int, /) -> None: ...
    def rbd_snap_spec_cleanup(self, snap: Any, /) -> None: ...
    def rbd_clone(
        self,
        p_ioctx: Any,
        p_name: Any,
        p_snapname: Any,
        c_ioctx: Any,
        c_name: Any,
        features: int,
        c_order: Any,
        /,
    ) -> int: ...
    def rbd_clone2(
        self,
        p_ioctx: Any,
        p_name: Any,
        p_snapname: Any,
        c_ioctx: Any,
        c_name: Any,
        features: int,
        c_order: Any,
        stripe_unit: int,
        stripe_count: int,
        /,
    ) -> int: ...
    def rbd_clone3(
        self,
        p_ioctx: Any,
        p_name: Any,
        p_snapname: Any,
        c_ioctx: Any,
        c_name: Any,
        c_opts: Any,
        /,
    ) -> int: ...
    def rbd_clone4(
        self,
        p_ioctx: Any,
        p_name: Any,
        p_snap_id: int,
        c_ioctx: Any,
        c_name: Any,
        c_opts: Any,
        /,
    ) -> int: ...
    def rbd_get_overlap(self, image: Any, overlap: Any, /) -> int: ...
    def rbd_get_parent_info(
        self,
        image: Any,
        parent_poolname: Any,
        ppoolnamelen: int,
        parent_name: Any,
        pnamelen: int,
        parent_snapname: Any,
        psnapnamelen: int,
        /,
    ) -> int: ...
    def rbd_get_parent_info2(
        self,
        image: Any,
        parent_poolname: Any,
        ppoolnamelen: int,
        parent_name: Any,
        pnamelen: int,
        parent_id: Any,
        pidlen: int,
        parent_snapname: Any,
        psnapnamelen: int,
        /,
    ) -> int: ...
    def rbd_get_parent(self, image: Any, parent_image: Any, parent_snap: Any, /) -> int: ...
    def rbd_copy(self, image: Any, dest_io_ctx: Any, destname: Any, /) -> int: ...
    def rbd_copy2(self, src: Any, dest: Any, /) -> int: ...
    def rbd_copy3(self, src: Any, dest_io_ctx: Any, destname: Any, dest_opts: Any, /) -> int: ...
    def rbd_copy4(
        self,
        src: Any,
        dest_io_ctx: Any,
        destname: Any,
        dest_opts: Any,
        sparse_size: int,
        /,
    ) -> int: ...
    def rbd_copy_with_progress(
        self,
        image: Any,
        dest_p: Any,
        destname: Any,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_copy_with_progress2(self, src: Any, dest: Any, cb: Any, cbdata: Any, /) -> int: ...
    def rbd_copy_with_progress3(
        self,
        image: Any,
        dest_p: Any,
        destname: Any,
        dest_opts: Any,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_copy_with_progress4(
        self,
        image: Any,
        dest_p: Any,
        destname: Any,
        dest_opts: Any,
        cb: Any,
        cbdata: Any,
        sparse_size: int,
        /,
    ) -> int: ...
    def rbd_deep_copy(
        self,
        src: Any,
        dest_io_ctx: Any,
        destname: Any,
        dest_opts: Any,
        /,
    ) -> int: ...
    def rbd_deep_copy_with_progress(
        self,
        image: Any,
        dest_io_ctx: Any,
        destname: Any,
        dest_opts: Any,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_flatten(self, image: Any, /) -> int: ...
    def rbd_flatten_with_progress(self, image: Any, cb: Any, cbdata: Any, /) -> int: ...
    def rbd_sparsify(self, image: Any, sparse_size: int, /) -> int: ...
    def rbd_sparsify_with_progress(
        self,
        image: Any,
        sparse_size: int,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_list_children(
        self,
        image: Any,
        pools: Any,
        pools_len: Any,
        images: Any,
        images_len: Any,
        /,
    ) -> int: ...
    def rbd_list_children2(self, image: Any, children: Any, max_children: Any, /) -> int: ...
    def rbd_list_child_cleanup(self, child: Any, /) -> None: ...
    def rbd_list_children_cleanup(self, children: Any, num_children: int, /) -> None: ...
    def rbd_list_children3(self, image: Any, images: Any, max_images: Any, /) -> int: ...
    def rbd_list_descendants(self, image: Any, images: Any, max_images: Any, /) -> int: ...
    RBD_LOCK_MODE_EXCLUSIVE: int
    RBD_LOCK_MODE_SHARED: int
    RBD_LOCK_MODE_EXCLUSIVE_TRANSIENT: int
    def rbd_is_exclusive_lock_owner(self, image: Any, is_owner: Any, /) -> int: ...
    def rbd_lock_acquire(self, image: Any, lock_mode: int, /) -> int: ...
    def rbd_lock_release(self, image: Any, /) -> int: ...
    def rbd_lock_get_owners(
        self,
        image: Any,
        lock_mode: Any,
        lock_owners: Any,
        max_lock_owners: Any,
        /,
    ) -> int: ...
    def rbd_lock_get_owners_cleanup(self, lock_owners: Any, lock_owner_count: int, /) -> None: ...
    def rbd_lock_break(self, image: Any, lock_mode: int, lock_owner: Any, /) -> int: ...
    def rbd_list_lockers(
        self,
        image: Any,
        exclusive: Any,
        tag: Any,
        tag_len: Any,
        clients: Any,
        clients_len: Any,
        cookies: Any,
        cookies_len: Any,
        addrs: Any,
        addrs_len: Any,
        /,
    ) -> int: ...
    def rbd_lock_exclusive(self, image: Any, cookie: Any, /) -> int: ...
    def rbd_lock_shared(self, image: Any, cookie: Any, tag: Any, /) -> int: ...
    def rbd_unlock(self, image: Any, cookie: Any, /) -> int: ...
    def rbd_break_lock(self, image: Any, client: Any, cookie: Any, /) -> int: ...
    RBD_CONFIG_SOURCE_CONFIG: int
    RBD_CONFIG_SOURCE_POOL: int
    RBD_CONFIG_SOURCE_IMAGE: int
    def rbd_pool_metadata_get(self, io_ctx: Any, key: Any, value: Any, val_len: Any, /) -> int: ...
    def rbd_pool_metadata_set(self, io_ctx: Any, key: Any, value: Any, /) -> int: ...
    def rbd_pool_metadata_remove(self, io_ctx: Any, key: Any, /) -> int: ...
    def rbd_pool_metadata_list(
        self,
        io_ctx: Any,
        start: Any,
        max: int,
        keys: Any,
        key_len: Any,
        values: Any,
        vals_len: Any,
        /,
    ) -> int: ...
    def rbd_config_pool_list(self, io_ctx: Any, options: Any, max_options: Any, /) -> int: ...
    def rbd_config_pool_list_cleanup(self, options: Any, max_options: int, /) -> None: ...
    def rbd_metadata_get(self, image: Any, key: Any, value: Any, val_len: Any, /) -> int: ...
    def rbd_metadata_set(self, image: Any, key: Any, value: Any, /) -> int: ...
    def rbd_metadata_remove(self, image: Any, key: Any, /) -> int: ...
    def rbd_metadata_list(
        self,
        image: Any,
        start: Any,
        max: int,
        keys: Any,
        key_len: Any,
        values: Any,
        vals_len: Any,
        /,
    ) -> int: ...
    def rbd_config_image_list(self, image: Any, options: Any, max_options: Any, /) -> int: ...
    def rbd_config_image_list_cleanup(self, options: Any, max_options: int, /) -> None: ...
    RBD_POOL_STAT_OPTION_IMAGES: int
    RBD_POOL_STAT_OPTION_IMAGE_PROVISIONED_BYTES: int
    RBD_POOL_STAT_OPTION_IMAGE_MAX_PROVISIONED_BYTES: int
    RBD_POOL_STAT_OPTION_IMAGE_SNAPSHOTS: int
    RBD_POOL_STAT_OPTION_TRASH_IMAGES: int
    RBD_POOL_STAT_OPTION_TRASH_PROVISIONED_BYTES: int
    RBD_POOL_STAT_OPTION_TRASH_MAX_PROVISIONED_BYTES: int
    RBD_POOL_STAT_OPTION_TRASH_SNAPSHOTS: int
    def rbd_namespace_create(self, io: Any, namespace_name: Any, /) -> int: ...
    def rbd_namespace_remove(self, io: Any, namespace_name: Any, /) -> int: ...
    def rbd_namespace_list(self, io: Any, namespace_names: Any, size: Any, /) -> int: ...
    def rbd_namespace_exists(self, io: Any, namespace_name: Any, exists: Any, /) -> int: ...
    def rbd_pool_init(self, io: Any, force: bool, /) -> int: ...
    def rbd_pool_stats_create(self, stats: Any, /) -> None: ...
    def rbd_pool_stats_destroy(self, stats: Any, /) -> None: ...
    def rbd_pool_stats_option_add_uint64(
        self,
        stats: Any,
        stat_option: int,
        stat_val: Any,
        /,
    ) -> int: ...
    def rbd_pool_stats_get(self, io: Any, stats: Any, /) -> int: ...
    RBD_GROUP_IMAGE_STATE_ATTACHED: int
    RBD_GROUP_IMAGE_STATE_INCOMPLETE: int
    RBD_GROUP_SNAP_STATE_INCOMPLETE: int
    RBD_GROUP_SNAP_STATE_COMPLETE: int
    RBD_GROUP_SNAP_NAMESPACE_TYPE_USER: int
    def rbd_get_group(self, image: Any, group_info: Any, group_info_size: int, /) -> int: ...
    def rbd_group_create(self, p: Any, name: Any, /) -> int: ...
    def rbd_group_remove(self, p: Any, name: Any, /) -> int: ...
    def rbd_group_list(self, p: Any, names: Any, size: Any, /) -> int: ...
    def rbd_group_get_id(self, p: Any, group_name: Any, group_id: Any, size: Any, /) -> int: ...
    def rbd_group_rename(self, p: Any, src_name: Any, dest_name: Any, /) -> int: ...
    def rbd_group_info_cleanup(self, group_info: Any, group_info_size: int, /) -> int: ...
    def rbd_group_image_add(
        self,
        group_p: Any,
        group_name: Any,
        image_p: Any,
        image_name: Any,
        /,
    ) -> int: ...
    def rbd_group_image_remove(
        self,
        group_p: Any,
        group_name: Any,
        image_p: Any,
        image_name: Any,
        /,
    ) -> int: ...
    def rbd_group_image_remove_by_id(
        self,
        group_p: Any,
        group_name: Any,
        image_p: Any,
        image_id: Any,
        /,
    ) -> int: ...
    def rbd_group_image_list(
        self,
        group_p: Any,
        group_name: Any,
        images: Any,
        group_image_info_size: int,
        num_entries: Any,
        /,
    ) -> int: ...
    def rbd_group_image_list_cleanup(
        self,
        images: Any,
        group_image_info_size: int,
        num_entries: int,
        /,
    ) -> int: ...
    def rbd_group_snap_create(self, group_p: Any, group_name: Any, snap_name: Any, /) -> int: ...
    def rbd_group_snap_create2(
        self,
        group_p: Any,
        group_name: Any,
        snap_name: Any,
        flags: int,
        /,
    ) -> int: ...
    def rbd_group_snap_remove(self, group_p: Any, group_name: Any, snap_name: Any, /) -> int: ...
    def rbd_group_snap_rename(
        self,
        group_p: Any,
        group_name: Any,
        old_snap_name: Any,
        new_snap_name: Any,
        /,
    ) -> int: ...
    def rbd_group_snap_list(
        self,
        group_p: Any,
        group_name: Any,
        snaps: Any,
        group_snap_info_size: int,
        num_entries: Any,
        /,
    ) -> int: ...
    def rbd_group_snap_list_cleanup(
        self,
        snaps: Any,
        group_snap_info_size: int,
        num_entries: int,
        /,
    ) -> int: ...
    def rbd_group_snap_list2(
        self,
        group_p: Any,
        group_name: Any,
        snaps: Any,
        num_entries: Any,
        /,
    ) -> int: ...
    def rbd_group_snap_list2_cleanup(self, snaps: Any, num_entries: int, /) -> None: ...
    def rbd_group_snap_get_info(
        self,
        group_p: Any,
        group_name: Any,
        snap_name: Any,
        group_snap: Any,
        /,
    ) -> int: ...
    def rbd_group_snap_get_info_cleanup(self, group_snap: Any, /) -> None: ...
    def rbd_group_snap_rollback(self, group_p: Any, group_name: Any, snap_name: Any, /) -> int: ...
    def rbd_group_snap_rollback_with_progress(
        self,
        group_p: Any,
        group_name: Any,
        snap_name: Any,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    RBD_TRASH_IMAGE_SOURCE_USER: int
    RBD_TRASH_IMAGE_SOURCE_MIRRORING: int
    RBD_TRASH_IMAGE_SOURCE_MIGRATION: int
    RBD_TRASH_IMAGE_SOURCE_REMOVING: int
    RBD_TRASH_IMAGE_SOURCE_USER_PARENT: int
    def rbd_trash_move(self, io: Any, name: Any, delay: int, /) -> int: ...
    def rbd_trash_get(self, io: Any, id: Any, info: Any, /) -> int: ...
    def rbd_trash_get_cleanup(self, info: Any, /) -> None: ...
    def rbd_trash_list(self, io: Any, trash_entries: Any, num_entries: Any, /) -> int: ...
    def rbd_trash_list_cleanup(self, trash_entries: Any, num_entries: int, /) -> None: ...
    def rbd_trash_purge(self, io: Any, expire_ts: int, threshold: float, /) -> int: ...
    def rbd_trash_purge_with_progress(
        self,
        io: Any,
        expire_ts: int,
        threshold: float,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_trash_remove(self, io: Any, id: Any, force: bool, /) -> int: ...
    def rbd_trash_remove_with_progress(
        self,
        io: Any,
        id: Any,
        force: bool,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_trash_restore(self, io: Any, id: Any, name: Any, /) -> int: ...
    RBD_MIRROR_IMAGE_STATUS_LOCAL_MIRROR_UUID: Any
    RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST: Any
    RBD_MIRROR_PEER_ATTRIBUTE_NAME_KEY: Any
    RBD_MIRROR_MODE_DISABLED: int
    RBD_MIRROR_MODE_IMAGE: int
    RBD_MIRROR_MODE_POOL: int
    RBD_MIRROR_MODE_INIT_ONLY: int
    RBD_MIRROR_PEER_DIRECTION_RX: int
    RBD_MIRROR_PEER_DIRECTION_TX: int
    RBD_MIRROR_PEER_DIRECTION_RX_TX: int
    RBD_MIRROR_IMAGE_MODE_JOURNAL: int
    RBD_MIRROR_IMAGE_MODE_SNAPSHOT: int
    RBD_MIRROR_IMAGE_DISABLING: int
    RBD_MIRROR_IMAGE_ENABLED: int
    RBD_MIRROR_IMAGE_DISABLED: int
    RBD_MIRROR_IMAGE_CREATING: int
    MIRROR_IMAGE_STATUS_STATE_UNKNOWN: int
    MIRROR_IMAGE_STATUS_STATE_ERROR: int
    MIRROR_IMAGE_STATUS_STATE_SYNCING: int
    MIRROR_IMAGE_STATUS_STATE_STARTING_REPLAY: int
    MIRROR_IMAGE_STATUS_STATE_REPLAYING: int
    MIRROR_IMAGE_STATUS_STATE_STOPPING_REPLAY: int
    MIRROR_IMAGE_STATUS_STATE_STOPPED: int
    def rbd_mirror_site_name_get(self, cluster: Any, name: Any, max_len: Any, /) -> int: ...
    def rbd_mirror_site_name_set(self, cluster: Any, name: Any, /) -> int: ...
    def rbd_mirror_mode_get(self, io_ctx: Any, mirror_mode: Any, /) -> int: ...
    def rbd_mirror_mode_set(self, io_ctx: Any, mirror_mode: int, /) -> int: ...
    def rbd_mirror_remote_namespace_get(
        self,
        io_ctx: Any,
        remote_namespace: Any,
        max_len: Any,
        /,
    ) -> int: ...
    def rbd_mirror_remote_namespace_set(self, io_ctx: Any, remote_namespace: Any, /) -> int: ...
    def rbd_mirror_uuid_get(self, io_ctx: Any, uuid: Any, max_len: Any, /) -> int: ...
    def rbd_mirror_peer_bootstrap_create(self, io_ctx: Any, token: Any, max_len: Any, /) -> int: ...
    def rbd_mirror_peer_bootstrap_import(
        self,
        io_ctx: Any,
        direction: int,
        token: Any,
        /,
    ) -> int: ...
    def rbd_mirror_peer_site_add(
        self,
        io_ctx: Any,
        uuid: Any,
        uuid_max_length: int,
        direction: int,
        site_name: Any,
        client_name: Any,
        /,
    ) -> int: ...
    def rbd_mirror_peer_site_set_name(self, io_ctx: Any, uuid: Any, site_name: Any, /) -> int: ...
    def rbd_mirror_peer_site_set_client_name(
        self,
        io_ctx: Any,
        uuid: Any,
        client_name: Any,
        /,
    ) -> int: ...
    def rbd_mirror_peer_site_set_direction(
        self,
        io_ctx: Any,
        uuid: Any,
        direction: int,
        /,
    ) -> int: ...
    def rbd_mirror_peer_site_remove(self, io_ctx: Any, uuid: Any, /) -> int: ...
    def rbd_mirror_peer_site_list(self, io_ctx: Any, peers: Any, max_peers: Any, /) -> int: ...
    def rbd_mirror_peer_site_list_cleanup(self, peers: Any, max_peers: int, /) -> None: ...
    def rbd_mirror_peer_site_get_attributes(
        self,
        p: Any,
        uuid: Any,
        keys: Any,
        max_key_len: Any,
        values: Any,
        max_value_len: Any,
        key_value_count: Any,
        /,
    ) -> int: ...
    def rbd_mirror_peer_site_set_attributes(
        self,
        p: Any,
        uuid: Any,
        keys: Any,
        values: Any,
        key_value_count: int,
        /,
    ) -> int: ...
    def rbd_mirror_image_global_status_list(
        self,
        io_ctx: Any,
        start_id: Any,
        max: int,
        image_ids: Any,
        images: Any,
        len: Any,
        /,
    ) -> int: ...
    def rbd_mirror_image_global_status_list_cleanup(
        self,
        image_ids: Any,
        images: Any,
        len: int,
        /,
    ) -> None: ...
    def rbd_mirror_peer_add(
        self,
        io_ctx: Any,
        uuid: Any,
        uuid_max_length: int,
        cluster_name: Any,
        client_name: Any,
        /,
    ) -> int: ...
    def rbd_mirror_peer_remove(self, io_ctx: Any, uuid: Any, /) -> int: ...
    def rbd_mirror_peer_list(self, io_ctx: Any, peers: Any, max_peers: Any, /) -> int: ...
    def rbd_mirror_peer_list_cleanup(self, peers: Any, max_peers: int, /) -> None: ...
    def rbd_mirror_peer_set_client(self, io_ctx: Any, uuid: Any, client_name: Any, /) -> int: ...
    def rbd_mirror_peer_set_cluster(self, io_ctx: Any, uuid: Any, cluster_name: Any, /) -> int: ...
    def rbd_mirror_peer_get_attributes(
        self,
        p: Any,
        uuid: Any,
        keys: Any,
        max_key_len: Any,
        values: Any,
        max_value_len: Any,
        key_value_count: Any,
        /,
    ) -> int: ...
    def rbd_mirror_peer_set_attributes(
        self,
        p: Any,
        uuid: Any,
        keys: Any,
        values: Any,
        key_value_count: int,
        /,
    ) -> int: ...
    def rbd_mirror_image_status_list(
        self,
        io_ctx: Any,
        start_id: Any,
        max: int,
        image_ids: Any,
        images: Any,
        len: Any,
        /,
    ) -> int: ...
    def rbd_mirror_image_status_list_cleanup(
        self,
        image_ids: Any,
        images: Any,
        len: int,
        /,
    ) -> None: ...
    def rbd_mirror_image_status_summary(
        self,
        io_ctx: Any,
        states: Any,
        counts: Any,
        maxlen: Any,
        /,
    ) -> int: ...
    def rbd_mirror_image_instance_id_list(
        self,
        io_ctx: Any,
        start_id: Any,
        max: int,
        image_ids: Any,
        instance_ids: Any,
        len: Any,
        /,
    ) -> int: ...
    def rbd_mirror_image_instance_id_list_cleanup(
        self,
        image_ids: Any,
        instance_ids: Any,
        len: int,
        /,
    ) -> None: ...
    def rbd_mirror_image_info_list(
        self,
        io_ctx: Any,
        mode_filter: Any,
        start_id: Any,
        max: int,
        image_ids: Any,
        mode_entries: Any,
        info_entries: Any,
        num_entries: Any,
        /,
    ) -> int: ...
    def rbd_mirror_image_info_list_cleanup(
        self,
        image_ids: Any,
        info_entries: Any,
        num_entries: int,
        /,
    ) -> None: ...
    def rbd_mirror_image_enable(self, image: Any, /) -> int: ...
    def rbd_mirror_image_enable2(self, image: Any, mode: int, /) -> int: ...
    def rbd_mirror_image_disable(self, image: Any, force: bool, /) -> int: ...
    def rbd_mirror_image_promote(self, image: Any, force: bool, /) -> int: ...
    def rbd_mirror_image_demote(self, image: Any, /) -> int: ...
    def rbd_mirror_image_resync(self, image: Any, /) -> int: ...
    def rbd_mirror_image_create_snapshot(self, image: Any, snap_id: Any, /) -> int: ...
    def rbd_mirror_image_create_snapshot2(self, image: Any, flags: int, snap_id: Any, /) -> int: ...
    def rbd_mirror_image_get_info(
        self,
        image: Any,
        mirror_image_info: Any,
        info_size: int,
        /,
    ) -> int: ...
    def rbd_mirror_image_get_info_cleanup(self, mirror_image_info: Any, /) -> None: ...
    def rbd_mirror_image_get_mode(self, image: Any, mode: Any, /) -> int: ...
    def rbd_mirror_image_get_global_status(
        self,
        image: Any,
        mirror_image_global_status: Any,
        status_size: int,
        /,
    ) -> int: ...
    def rbd_mirror_image_global_status_cleanup(
        self,
        mirror_image_global_status: Any,
        /,
    ) -> None: ...
    def rbd_mirror_image_get_status(
        self,
        image: Any,
        mirror_image_status: Any,
        status_size: int,
        /,
    ) -> int: ...
    def rbd_mirror_image_get_instance_id(
        self,
        image: Any,
        instance_id: Any,
        id_max_length: Any,
        /,
    ) -> int: ...
    def rbd_aio_mirror_image_promote(self, image: Any, force: bool, c: Any, /) -> int: ...
    def rbd_aio_mirror_image_demote(self, image: Any, c: Any, /) -> int: ...
    def rbd_aio_mirror_image_get_info(
        self,
        image: Any,
        mirror_image_info: Any,
        info_size: int,
        c: Any,
        /,
    ) -> int: ...
    def rbd_aio_mirror_image_get_mode(self, image: Any, mode: Any, c: Any, /) -> int: ...
    def rbd_aio_mirror_image_get_global_status(
        self,
        image: Any,
        mirror_global_image_status: Any,
        status_size: int,
        c: Any,
        /,
    ) -> int: ...
    def rbd_aio_mirror_image_get_status(
        self,
        image: Any,
        mirror_image_status: Any,
        status_size: int,
        c: Any,
        /,
    ) -> int: ...
    def rbd_aio_mirror_image_create_snapshot(
        self,
        image: Any,
        flags: int,
        snap_id: Any,
        c: Any,
        /,
    ) -> int: ...
    def rbdcffi_aio_mirror_image_create_snapshot(
        self,
        image: Any,
        queue: Any,
        token: int,
        flags: int,
        snap_id: Any,
        /,
    ) -> int: ...
    def rbdcffi_aio_mirror_image_get_info(
        self,
        image: Any,
        queue: Any,
        token: int,
        info: Any,
        /,
    ) -> int: ...
    def rbdcffi_aio_mirror_image_get_mode(
        self,
        image: Any,
        queue: Any,
        token: int,
        mode: Any,
        /,
    ) -> int: ...
    def rbdcffi_aio_mirror_image_get_status(
        self,
        image: Any,
        queue: Any,
        token: int,
        status: Any,
        /,
    ) -> int: ...
    def rbdcffi_aio_mirror_image_get_global_status(
        self,
        image: Any,
        queue: Any,
        token: int,
        status: Any,
        /,
    ) -> int: ...
    def rbdcffi_mirror_info_cleanup(self, info: Any, /) -> None: ...
    def rbdcffi_mirror_status_cleanup(self, status: Any, /) -> None: ...
    def rbdcffi_mirror_global_status_cleanup(self, status: Any, /) -> None: ...
    RBD_IMAGE_MIGRATION_STATE_UNKNOWN: int
    RBD_IMAGE_MIGRATION_STATE_ERROR: int
    RBD_IMAGE_MIGRATION_STATE_PREPARING: int
    RBD_IMAGE_MIGRATION_STATE_PREPARED: int
    RBD_IMAGE_MIGRATION_STATE_EXECUTING: int
    RBD_IMAGE_MIGRATION_STATE_EXECUTED: int
    RBD_IMAGE_MIGRATION_STATE_ABORTING: int
    def rbd_migration_prepare(
        self,
        ioctx: Any,
        image_name: Any,
        dest_ioctx: Any,
        dest_image_name: Any,
        opts: Any,
        /,
    ) -> int: ...
    def rbd_migration_prepare_import(
        self,
        source_spec: Any,
        dest_ioctx: Any,
        dest_image_name: Any,
        opts: Any,
        /,
    ) -> int: ...
    def rbd_migration_execute(self, ioctx: Any, image_name: Any, /) -> int: ...
    def rbd_migration_execute_with_progress(
        self,
        ioctx: Any,
        image_name: Any,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_migration_abort(self, ioctx: Any, image_name: Any, /) -> int: ...
    def rbd_migration_abort_with_progress(
        self,
        ioctx: Any,
        image_name: Any,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_migration_commit(self, ioctx: Any, image_name: Any, /) -> int: ...
    def rbd_migration_commit_with_progress(
        self,
        ioctx: Any,
        image_name: Any,
        cb: Any,
        cbdata: Any,
        /,
    ) -> int: ...
    def rbd_migration_status(
        self,
        ioctx: Any,
        image_name: Any,
        status: Any,
        status_size: int,
        /,
    ) -> int: ...
    def rbd_migration_status_cleanup(self, status: Any, /) -> None: ...
    def rbd_get_migration_source_spec(
        self,
        image: Any,
        source_spec: Any,
        max_len: Any,
        /,
    ) -> int: ...
    RBD_ENCRYPTION_FORMAT_LUKS1: int
    RBD_ENCRYPTION_FORMAT_LUKS2: int
    RBD_ENCRYPTION_FORMAT_LUKS: int
    RBD_ENCRYPTION_ALGORITHM_AES128: int
    RBD_ENCRYPTION_ALGORITHM_AES256: int
    def rbd_encryption_format(
        self,
        image: Any,
        format: int,
        opts: Any,
        opts_size: int,
        /,
    ) -> int: ...
    def rbd_encryption_load(self, image: Any, format: int, opts: Any, opts_size: int, /) -> int: ...
    def rbd_encryption_load2(self, image: Any, specs: Any, spec_count: int, /) -> int: ...
    def rbd_update_features(self, image: Any, features: int, enabled: int, /) -> int: ...
    def rbd_update_watch(self, image: Any, handle: Any, watch_cb: Any, arg: Any, /) -> int: ...
    def rbd_update_unwatch(self, image: Any, handle: int, /) -> int: ...
    def rbd_watchers_list(self, image: Any, watchers: Any, max_watchers: Any, /) -> int: ...
    def rbd_watchers_list_cleanup(self, watchers: Any, num_watchers: int, /) -> None: ...
    def rbd_quiesce_watch(
        self,
        image: Any,
        quiesce_cb: Any,
        unquiesce_cb: Any,
        arg: Any,
        handle: Any,
        /,
    ) -> int: ...
    def rbd_quiesce_complete(self, image: Any, handle: int, r: int, /) -> None: ...
    def rbd_quiesce_unwatch(self, image: Any, handle: int, /) -> int: ...

lib: Lib
