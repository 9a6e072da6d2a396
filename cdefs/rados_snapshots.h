/* Snapshots of pools and self-managed snapshots. */

#define LIBRADOS_SNAP_HEAD ...
#define LIBRADOS_SNAP_DIR ...

int rados_ioctx_snap_create(rados_ioctx_t io, const char *snapname);
int rados_ioctx_snap_remove(rados_ioctx_t io, const char *snapname);
int rados_ioctx_snap_rollback(rados_ioctx_t io, const char *oid, const char *snapname);
int rados_rollback(rados_ioctx_t io, const char *oid, const char *snapname);
void rados_ioctx_snap_set_read(rados_ioctx_t io, rados_snap_t snap);
int rados_ioctx_selfmanaged_snap_create(rados_ioctx_t io, rados_snap_t *snapid);
void rados_aio_ioctx_selfmanaged_snap_create(
    rados_ioctx_t io, rados_snap_t *snapid, rados_completion_t completion);
int rados_ioctx_selfmanaged_snap_remove(rados_ioctx_t io, rados_snap_t snapid);
void rados_aio_ioctx_selfmanaged_snap_remove(
    rados_ioctx_t io, rados_snap_t snapid, rados_completion_t completion);
int rados_ioctx_selfmanaged_snap_rollback(rados_ioctx_t io, const char *oid, rados_snap_t snapid);
int rados_ioctx_selfmanaged_snap_set_write_ctx(
    rados_ioctx_t io, rados_snap_t seq, rados_snap_t *snaps, int num_snaps);
int rados_ioctx_snap_list(rados_ioctx_t io, rados_snap_t *snaps, int maxlen);
int rados_ioctx_snap_lookup(rados_ioctx_t io, const char *name, rados_snap_t *id);
int rados_ioctx_snap_get_name(rados_ioctx_t io, rados_snap_t id, char *name, int maxlen);
int rados_ioctx_snap_get_stamp(rados_ioctx_t io, rados_snap_t id, time_t *t);
