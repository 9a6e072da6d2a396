/* Creating, listing, opening, resizing, renaming and removing images. */

#define LIBRBD_VER_MAJOR ...
#define LIBRBD_VER_MINOR ...
#define LIBRBD_VER_EXTRA ...
#define LIBRBD_VERSION_CODE ...
#define LIBRBD_SUPPORTS_AIO_FLUSH ...
#define LIBRBD_SUPPORTS_AIO_OPEN ...
#define LIBRBD_SUPPORTS_COMPARE_AND_WRITE ...
#define LIBRBD_SUPPORTS_COMPARE_AND_WRITE_IOVEC ...
#define LIBRBD_SUPPORTS_DIFF_ITERATE3 ...
#define LIBRBD_SUPPORTS_ENCRYPTION ...
#define LIBRBD_SUPPORTS_ENCRYPTION_LOAD2 ...
#define LIBRBD_SUPPORTS_GROUP_SNAP_GET_INFO ...
#define LIBRBD_SUPPORTS_INVALIDATE ...
#define LIBRBD_SUPPORTS_IOVEC ...
#define LIBRBD_SUPPORTS_LOCKING ...
#define LIBRBD_SUPPORTS_WATCH ...
#define LIBRBD_SUPPORTS_WRITESAME ...
#define LIBRBD_SUPPORTS_WRITE_ZEROES ...
#define RBD_MAX_IMAGE_NAME_SIZE ...
#define RBD_MAX_BLOCK_NAME_SIZE ...

typedef int (*librbd_progress_fn_t)(uint64_t offset, uint64_t total, void *ptr);

typedef struct {
    char *id;
    char *name;
    ...;
} rbd_image_spec_t;

void rbd_version(int *major, int *minor, int *extra);
void rbd_image_spec_cleanup(rbd_image_spec_t *image);
void rbd_image_spec_list_cleanup(rbd_image_spec_t *images, size_t num_images);
int rbd_list(rados_ioctx_t io, char *names, size_t *size);
int rbd_list2(rados_ioctx_t io, rbd_image_spec_t *images, size_t *max_images);
int rbd_create(rados_ioctx_t io, const char *name, uint64_t size, int *order);
int rbd_create2(rados_ioctx_t io, const char *name, uint64_t size, uint64_t features, int *order);
int rbd_create3(
    rados_ioctx_t io, const char *name, uint64_t size, uint64_t features, int *order,
    uint64_t stripe_unit, uint64_t stripe_count);
int rbd_create4(rados_ioctx_t io, const char *name, uint64_t size, rbd_image_options_t opts);
int rbd_remove(rados_ioctx_t io, const char *name);
int rbd_remove_with_progress(
    rados_ioctx_t io, const char *name, librbd_progress_fn_t cb, void *cbdata);
int rbd_rename(rados_ioctx_t src_io_ctx, const char *srcname, const char *destname);
int rbd_open(rados_ioctx_t io, const char *name, rbd_image_t *image, const char *snap_name);
int rbd_open_by_id(rados_ioctx_t io, const char *id, rbd_image_t *image, const char *snap_name);
int rbd_aio_open(
    rados_ioctx_t io, const char *name, rbd_image_t *image, const char *snap_name,
    rbd_completion_t c);
int rbd_aio_open_by_id(
    rados_ioctx_t io, const char *id, rbd_image_t *image, const char *snap_name,
    rbd_completion_t c);
int rbd_open_read_only(
    rados_ioctx_t io, const char *name, rbd_image_t *image, const char *snap_name);
int rbd_open_by_id_read_only(
    rados_ioctx_t io, const char *id, rbd_image_t *image, const char *snap_name);
int rbd_aio_open_read_only(
    rados_ioctx_t io, const char *name, rbd_image_t *image, const char *snap_name,
    rbd_completion_t c);
int rbd_aio_open_by_id_read_only(
    rados_ioctx_t io, const char *id, rbd_image_t *image, const char *snap_name,
    rbd_completion_t c);
int rbd_close(rbd_image_t image);
int rbd_aio_close(rbd_image_t image, rbd_completion_t c);
int rbd_resize(rbd_image_t image, uint64_t size);
int rbd_resize2(
    rbd_image_t image, uint64_t size, bool allow_shrink, librbd_progress_fn_t cb, void *cbdata);
int rbd_resize_with_progress(
    rbd_image_t image, uint64_t size, librbd_progress_fn_t cb, void *cbdata);
int rbd_rebuild_object_map(rbd_image_t image, librbd_progress_fn_t cb, void *cbdata);
