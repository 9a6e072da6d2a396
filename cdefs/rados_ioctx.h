/* I/O contexts (one pool, one namespace), pool statistics, alignment, application metadata. */

static char *const LIBRADOS_ALL_NSPACES;

typedef uint64_t rados_snap_t;

struct rados_pool_stat_t {
    uint64_t num_bytes;
    uint64_t num_kb;
    uint64_t num_objects;
    uint64_t num_object_clones;
    uint64_t num_object_copies;
    uint64_t num_objects_missing_on_primary;
    uint64_t num_objects_unfound;
    uint64_t num_objects_degraded;
    uint64_t num_rd;
    uint64_t num_rd_kb;
    uint64_t num_wr;
    uint64_t num_wr_kb;
    uint64_t num_user_bytes;
    uint64_t compressed_bytes_orig;
    uint64_t compressed_bytes;
    uint64_t compressed_bytes_alloc;
    ...;
};

int rados_ioctx_create(rados_t cluster, const char *pool_name, rados_ioctx_t *ioctx);
int rados_ioctx_create2(rados_t cluster, int64_t pool_id, rados_ioctx_t *ioctx);
void rados_ioctx_destroy(rados_ioctx_t io);
rados_config_t rados_ioctx_cct(rados_ioctx_t io);
rados_t rados_ioctx_get_cluster(rados_ioctx_t io);
int rados_ioctx_pool_stat(rados_ioctx_t io, struct rados_pool_stat_t *stats);
int rados_ioctx_pool_set_auid(rados_ioctx_t io, uint64_t auid);
int rados_ioctx_pool_get_auid(rados_ioctx_t io, uint64_t *auid);
int rados_ioctx_pool_requires_alignment(rados_ioctx_t io);
int rados_ioctx_pool_requires_alignment2(rados_ioctx_t io, int *req);
uint64_t rados_ioctx_pool_required_alignment(rados_ioctx_t io);
int rados_ioctx_pool_required_alignment2(rados_ioctx_t io, uint64_t *alignment);
int64_t rados_ioctx_get_id(rados_ioctx_t io);
int rados_ioctx_get_pool_name(rados_ioctx_t io, char *buf, unsigned maxlen);
void rados_ioctx_locator_set_key(rados_ioctx_t io, const char *key);
void rados_ioctx_set_namespace(rados_ioctx_t io, const char *nspace);
int rados_ioctx_get_namespace(rados_ioctx_t io, char *buf, unsigned maxlen);
uint64_t rados_get_last_version(rados_ioctx_t io);
void rados_set_osdmap_full_try(rados_ioctx_t io);
void rados_unset_osdmap_full_try(rados_ioctx_t io);
void rados_set_pool_full_try(rados_ioctx_t io);  // since 16
void rados_unset_pool_full_try(rados_ioctx_t io);  // since 16
int rados_application_enable(rados_ioctx_t io, const char *app_name, int force);
int rados_application_list(rados_ioctx_t io, char *values, size_t *values_len);
int rados_application_metadata_get(
    rados_ioctx_t io, const char *app_name, const char *key, char *value, size_t *value_len);
int rados_application_metadata_set(
    rados_ioctx_t io, const char *app_name, const char *key, const char *value);
int rados_application_metadata_remove(rados_ioctx_t io, const char *app_name, const char *key);
int rados_application_metadata_list(
    rados_ioctx_t io, const char *app_name, char *keys, size_t *key_len, char *values,
    size_t *vals_len);
