/* Pool initialisation, statistics and namespaces. */

typedef void *rbd_pool_stats_t;

typedef enum {
    RBD_POOL_STAT_OPTION_IMAGES,
    RBD_POOL_STAT_OPTION_IMAGE_PROVISIONED_BYTES,
    RBD_POOL_STAT_OPTION_IMAGE_MAX_PROVISIONED_BYTES,
    RBD_POOL_STAT_OPTION_IMAGE_SNAPSHOTS,
    RBD_POOL_STAT_OPTION_TRASH_IMAGES,
    RBD_POOL_STAT_OPTION_TRASH_PROVISIONED_BYTES,
    RBD_POOL_STAT_OPTION_TRASH_MAX_PROVISIONED_BYTES,
    RBD_POOL_STAT_OPTION_TRASH_SNAPSHOTS,
    ...
} rbd_pool_stat_option_t;

int rbd_namespace_create(rados_ioctx_t io, const char *namespace_name);
int rbd_namespace_remove(rados_ioctx_t io, const char *namespace_name);
int rbd_namespace_list(rados_ioctx_t io, char *namespace_names, size_t *size);
int rbd_namespace_exists(rados_ioctx_t io, const char *namespace_name, bool *exists);
int rbd_pool_init(rados_ioctx_t io, bool force);
void rbd_pool_stats_create(rbd_pool_stats_t *stats);
void rbd_pool_stats_destroy(rbd_pool_stats_t stats);
int rbd_pool_stats_option_add_uint64(rbd_pool_stats_t stats, int stat_option, uint64_t *stat_val);
int rbd_pool_stats_get(rados_ioctx_t io, rbd_pool_stats_t stats);
