/* Mirroring of pools and images. */

static char *const RBD_MIRROR_IMAGE_STATUS_LOCAL_MIRROR_UUID;
static char *const RBD_MIRROR_PEER_ATTRIBUTE_NAME_MON_HOST;
static char *const RBD_MIRROR_PEER_ATTRIBUTE_NAME_KEY;

typedef enum {
    RBD_MIRROR_MODE_DISABLED,
    RBD_MIRROR_MODE_IMAGE,
    RBD_MIRROR_MODE_POOL,
    RBD_MIRROR_MODE_INIT_ONLY,
    ...
} rbd_mirror_mode_t;

typedef enum {
    RBD_MIRROR_PEER_DIRECTION_RX,
    RBD_MIRROR_PEER_DIRECTION_TX,
    RBD_MIRROR_PEER_DIRECTION_RX_TX,
    ...
} rbd_mirror_peer_direction_t;

typedef struct {
    char *uuid;
    char *cluster_name;
    char *client_name;
    ...;
} rbd_mirror_peer_t;

typedef struct {
    char *uuid;
    rbd_mirror_peer_direction_t direction;
    char *site_name;
    char *mirror_uuid;
    char *client_name;
    time_t last_seen;
    ...;
} rbd_mirror_peer_site_t;

typedef enum {
    RBD_MIRROR_IMAGE_MODE_JOURNAL,
    RBD_MIRROR_IMAGE_MODE_SNAPSHOT,
    ...
} rbd_mirror_image_mode_t;

typedef enum {
    RBD_MIRROR_IMAGE_DISABLING,
    RBD_MIRROR_IMAGE_ENABLED,
    RBD_MIRROR_IMAGE_DISABLED,
    RBD_MIRROR_IMAGE_CREATING,
    ...
} rbd_mirror_image_state_t;

typedef struct {
    char *global_id;
    rbd_mirror_image_state_t state;
    bool primary;
    ...;
} rbd_mirror_image_info_t;

typedef enum {
    MIRROR_IMAGE_STATUS_STATE_UNKNOWN,
    MIRROR_IMAGE_STATUS_STATE_ERROR,
    MIRROR_IMAGE_STATUS_STATE_SYNCING,
    MIRROR_IMAGE_STATUS_STATE_STARTING_REPLAY,
    MIRROR_IMAGE_STATUS_STATE_REPLAYING,
    MIRROR_IMAGE_STATUS_STATE_STOPPING_REPLAY,
    MIRROR_IMAGE_STATUS_STATE_STOPPED,
    ...
} rbd_mirror_image_status_state_t;

typedef struct {
    char *name;
    rbd_mirror_image_info_t info;
    rbd_mirror_image_status_state_t state;
    char *description;
    time_t last_update;
    bool up;
    ...;
} rbd_mirror_image_status_t;

typedef struct {
    char *mirror_uuid;
    rbd_mirror_image_status_state_t state;
    char *description;
    time_t last_update;
    bool up;
    ...;
} rbd_mirror_image_site_status_t;

typedef struct {
    char *name;
    rbd_mirror_image_info_t info;
    uint32_t site_statuses_count;
    rbd_mirror_image_site_status_t *site_statuses;
    ...;
} rbd_mirror_image_global_status_t;

int rbd_mirror_site_name_get(rados_t cluster, char *name, size_t *max_len);
int rbd_mirror_site_name_set(rados_t cluster, const char *name);
int rbd_mirror_mode_get(rados_ioctx_t io_ctx, rbd_mirror_mode_t *mirror_mode);
int rbd_mirror_mode_set(rados_ioctx_t io_ctx, rbd_mirror_mode_t mirror_mode);
int rbd_mirror_remote_namespace_get(
    rados_ioctx_t io_ctx, char *remote_namespace, size_t *max_len);  // since 20
int rbd_mirror_remote_namespace_set(
    rados_ioctx_t io_ctx, const char *remote_namespace);  // since 20
int rbd_mirror_uuid_get(rados_ioctx_t io_ctx, char *uuid, size_t *max_len);  // since 16
int rbd_mirror_peer_bootstrap_create(rados_ioctx_t io_ctx, char *token, size_t *max_len);
int rbd_mirror_peer_bootstrap_import(
    rados_ioctx_t io_ctx, rbd_mirror_peer_direction_t direction, const char *token);
int rbd_mirror_peer_site_add(
    rados_ioctx_t io_ctx, char *uuid, size_t uuid_max_length,
    rbd_mirror_peer_direction_t direction, const char *site_name, const char *client_name);  // since 16
int rbd_mirror_peer_site_set_name(
    rados_ioctx_t io_ctx, const char *uuid, const char *site_name);  // since 16
int rbd_mirror_peer_site_set_client_name(
    rados_ioctx_t io_ctx, const char *uuid, const char *client_name);  // since 16
int rbd_mirror_peer_site_set_direction(
    rados_ioctx_t io_ctx, const char *uuid, rbd_mirror_peer_direction_t direction);  // since 16
int rbd_mirror_peer_site_remove(rados_ioctx_t io_ctx, const char *uuid);  // since 16
int rbd_mirror_peer_site_list(
    rados_ioctx_t io_ctx, rbd_mirror_peer_site_t *peers, int *max_peers);  // since 16
void rbd_mirror_peer_site_list_cleanup(rbd_mirror_peer_site_t *peers, int max_peers);  // since 16
int rbd_mirror_peer_site_get_attributes(
    rados_ioctx_t p, const char *uuid, char *keys, size_t *max_key_len, char *values,
    size_t *max_value_len, size_t *key_value_count);  // since 16
int rbd_mirror_peer_site_set_attributes(
    rados_ioctx_t p, const char *uuid, const char *keys, const char *values,
    size_t key_value_count);  // since 16
int rbd_mirror_image_global_status_list(
    rados_ioctx_t io_ctx, const char *start_id, size_t max, char **image_ids,
    rbd_mirror_image_global_status_t *images, size_t *len);  // since 16
void rbd_mirror_image_global_status_list_cleanup(
    char **image_ids, rbd_mirror_image_global_status_t *images, size_t len);  // since 16
int rbd_mirror_peer_add(
    rados_ioctx_t io_ctx, char *uuid, size_t uuid_max_length, const char *cluster_name,
    const char *client_name);
int rbd_mirror_peer_remove(rados_ioctx_t io_ctx, const char *uuid);
int rbd_mirror_peer_list(rados_ioctx_t io_ctx, rbd_mirror_peer_t *peers, int *max_peers);
void rbd_mirror_peer_list_cleanup(rbd_mirror_peer_t *peers, int max_peers);
int rbd_mirror_peer_set_client(rados_ioctx_t io_ctx, const char *uuid, const char *client_name);
int rbd_mirror_peer_set_cluster(rados_ioctx_t io_ctx, const char *uuid, const char *cluster_name);
int rbd_mirror_peer_get_attributes(
    rados_ioctx_t p, const char *uuid, char *keys, size_t *max_key_len, char *values,
    size_t *max_value_len, size_t *key_value_count);
int rbd_mirror_peer_set_attributes(
    rados_ioctx_t p, const char *uuid, const char *keys, const char *values,
    size_t key_value_count);
int rbd_mirror_image_status_list(
    rados_ioctx_t io_ctx, const char *start_id, size_t max, char **image_ids,
    rbd_mirror_image_status_t *images, size_t *len);
void rbd_mirror_image_status_list_cleanup(
    char **image_ids, rbd_mirror_image_status_t *images, size_t len);
int rbd_mirror_image_status_summary(
    rados_ioctx_t io_ctx, rbd_mirror_image_status_state_t *states, int *counts, size_t *maxlen);
int rbd_mirror_image_instance_id_list(
    rados_ioctx_t io_ctx, const char *start_id, size_t max, char **image_ids,
    char **instance_ids, size_t *len);
void rbd_mirror_image_instance_id_list_cleanup(char **image_ids, char **instance_ids, size_t len);
int rbd_mirror_image_info_list(
    rados_ioctx_t io_ctx, rbd_mirror_image_mode_t *mode_filter, const char *start_id, size_t max,
    char **image_ids, rbd_mirror_image_mode_t *mode_entries,
    rbd_mirror_image_info_t *info_entries, size_t *num_entries);  // since 16
void rbd_mirror_image_info_list_cleanup(
    char **image_ids, rbd_mirror_image_info_t *info_entries, size_t num_entries);  // since 16
int rbd_mirror_image_enable(rbd_image_t image);
int rbd_mirror_image_enable2(rbd_image_t image, rbd_mirror_image_mode_t mode);  // since 16
int rbd_mirror_image_disable(rbd_image_t image, bool force);
int rbd_mirror_image_promote(rbd_image_t image, bool force);
int rbd_mirror_image_demote(rbd_image_t image);
int rbd_mirror_image_resync(rbd_image_t image);
int rbd_mirror_image_create_snapshot(rbd_image_t image, uint64_t *snap_id);  // since 16
int rbd_mirror_image_create_snapshot2(
    rbd_image_t image, uint32_t flags, uint64_t *snap_id);  // since 16
int rbd_mirror_image_get_info(
    rbd_image_t image, rbd_mirror_image_info_t *mirror_image_info, size_t info_size);
void rbd_mirror_image_get_info_cleanup(rbd_mirror_image_info_t *mirror_image_info);  // since 16
int rbd_mirror_image_get_mode(rbd_image_t image, rbd_mirror_image_mode_t *mode);  // since 16
int rbd_mirror_image_get_global_status(
    rbd_image_t image, rbd_mirror_image_global_status_t *mirror_image_global_status,
    size_t status_size);  // since 16
void rbd_mirror_image_global_status_cleanup(
    rbd_mirror_image_global_status_t *mirror_image_global_status);  // since 16
int rbd_mirror_image_get_status(
    rbd_image_t image, rbd_mirror_image_status_t *mirror_image_status, size_t status_size);
int rbd_mirror_image_get_instance_id(rbd_image_t image, char *instance_id, size_t *id_max_length);
int rbd_aio_mirror_image_promote(rbd_image_t image, bool force, rbd_completion_t c);
int rbd_aio_mirror_image_demote(rbd_image_t image, rbd_completion_t c);
int rbd_aio_mirror_image_get_info(
    rbd_image_t image, rbd_mirror_image_info_t *mirror_image_info, size_t info_size,
    rbd_completion_t c);
int rbd_aio_mirror_image_get_mode(
    rbd_image_t image, rbd_mirror_image_mode_t *mode, rbd_completion_t c);  // since 16
int rbd_aio_mirror_image_get_global_status(
    rbd_image_t image, rbd_mirror_image_global_status_t *mirror_global_image_status,
    size_t status_size, rbd_completion_t c);  // since 16
int rbd_aio_mirror_image_get_status(
    rbd_image_t image, rbd_mirror_image_status_t *mirror_image_status, size_t status_size,
    rbd_completion_t c);
int rbd_aio_mirror_image_create_snapshot(
    rbd_image_t image, uint32_t flags, uint64_t *snap_id, rbd_completion_t c);  // since 16
