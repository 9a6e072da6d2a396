/* The trash. */

typedef enum {
    RBD_TRASH_IMAGE_SOURCE_USER,
    RBD_TRASH_IMAGE_SOURCE_MIRRORING,
    RBD_TRASH_IMAGE_SOURCE_MIGRATION,
    RBD_TRASH_IMAGE_SOURCE_REMOVING,
    RBD_TRASH_IMAGE_SOURCE_USER_PARENT,
    ...
} rbd_trash_image_source_t;

typedef struct {
    char *id;
    char *name;
    rbd_trash_image_source_t source;
    time_t deletion_time;
    time_t deferment_end_time;
    ...;
} rbd_trash_image_info_t;

int rbd_trash_move(rados_ioctx_t io, const char *name, uint64_t delay);
int rbd_trash_get(rados_ioctx_t io, const char *id, rbd_trash_image_info_t *info);
void rbd_trash_get_cleanup(rbd_trash_image_info_t *info);
int rbd_trash_list(rados_ioctx_t io, rbd_trash_image_info_t *trash_entries, size_t *num_entries);
void rbd_trash_list_cleanup(rbd_trash_image_info_t *trash_entries, size_t num_entries);
int rbd_trash_purge(rados_ioctx_t io, time_t expire_ts, float threshold);
int rbd_trash_purge_with_progress(
    rados_ioctx_t io, time_t expire_ts, float threshold, librbd_progress_fn_t cb, void *cbdata);
int rbd_trash_remove(rados_ioctx_t io, const char *id, bool force);
int rbd_trash_remove_with_progress(
    rados_ioctx_t io, const char *id, bool force, librbd_progress_fn_t cb, void *cbdata);
int rbd_trash_restore(rados_ioctx_t io, const char *id, const char *name);
