/*
 * What headers older than Ceph 20 lack, so that the same source compiles with any of them.
 *
 * C only, never read by cffi. Functions need nothing here: build_ffi.py repeats the prototypes
 * of all functions newer than the oldest release. The two packages of a release go together, so
 * librbd's version code stands for librados too (LIBRADOS_VERSION has not moved since Ceph 14).
 */

#if LIBRBD_VERSION_CODE < LIBRBD_VERSION(1, 16, 0)

#define LIBRADOS_LOCK_FLAG_MAY_RENEW LIBRADOS_LOCK_FLAG_RENEW
#define LIBRADOS_LOCK_FLAG_MUST_RENEW (1u << 1)
#define LIBRADOS_OPERATION_RETURNVEC 1024
#define LIBRBD_SUPPORTS_ENCRYPTION 0
#define RBD_FEATURES_MUTABLE_INTERNAL (RBD_FEATURE_NON_PRIMARY | RBD_FEATURE_DIRTY_CACHE)
#define RBD_FEATURE_NON_PRIMARY (1ULL << 10)
#define RBD_FEATURE_DIRTY_CACHE (1ULL << 11)
#define RBD_FEATURE_NAME_NON_PRIMARY "non-primary"
#define RBD_FEATURE_NAME_DIRTY_CACHE "dirty-cache"
#define RBD_IMAGE_OPTION_MIRROR_IMAGE_MODE 13
#define RBD_MIRROR_IMAGE_STATUS_LOCAL_MIRROR_UUID ""
#define RBD_SNAP_CREATE_SKIP_QUIESCE (1 << 0)
#define RBD_SNAP_CREATE_IGNORE_QUIESCE_ERROR (1 << 1)
#define RBD_SNAP_NAMESPACE_TYPE_MIRROR 3
#define RBD_TRASH_IMAGE_SOURCE_USER_PARENT 4
#define RBD_WRITE_ZEROES_FLAG_THICK_PROVISION (1U << 0)

struct notify_ack_t {
    uint64_t notifier_id;
    uint64_t cookie;
    char *payload;
    uint64_t payload_len;
};

struct notify_timeout_t {
    uint64_t notifier_id;
    uint64_t cookie;
};

typedef enum {
    RBD_ENCRYPTION_FORMAT_LUKS1 = 0,
    RBD_ENCRYPTION_FORMAT_LUKS2 = 1
} rbd_encryption_format_t;

typedef enum {
    RBD_ENCRYPTION_ALGORITHM_AES128 = 0,
    RBD_ENCRYPTION_ALGORITHM_AES256 = 1
} rbd_encryption_algorithm_t;

typedef void *rbd_encryption_options_t;

typedef struct {
    rbd_encryption_algorithm_t alg;
    const char *passphrase;
    size_t passphrase_size;
} rbd_encryption_luks1_format_options_t;

typedef struct {
    rbd_encryption_algorithm_t alg;
    const char *passphrase;
    size_t passphrase_size;
} rbd_encryption_luks2_format_options_t;

typedef enum {
    RBD_MIRROR_IMAGE_MODE_JOURNAL = 0,
    RBD_MIRROR_IMAGE_MODE_SNAPSHOT = 1
} rbd_mirror_image_mode_t;

typedef enum {
    RBD_SNAP_MIRROR_STATE_PRIMARY,
    RBD_SNAP_MIRROR_STATE_PRIMARY_DEMOTED,
    RBD_SNAP_MIRROR_STATE_NON_PRIMARY,
    RBD_SNAP_MIRROR_STATE_NON_PRIMARY_DEMOTED
} rbd_snap_mirror_state_t;

typedef struct {
    rbd_snap_mirror_state_t state;
    size_t mirror_peer_uuids_count;
    char *mirror_peer_uuids;
    bool complete;
    char *primary_mirror_uuid;
    uint64_t primary_snap_id;
    uint64_t last_copied_object_number;
} rbd_snap_mirror_namespace_t;

typedef struct {
    char *uuid;
    rbd_mirror_peer_direction_t direction;
    char *site_name;
    char *mirror_uuid;
    char *client_name;
    time_t last_seen;
} rbd_mirror_peer_site_t;

typedef struct {
    char *mirror_uuid;
    rbd_mirror_image_status_state_t state;
    char *description;
    time_t last_update;
    bool up;
} rbd_mirror_image_site_status_t;

typedef struct {
    char *name;
    rbd_mirror_image_info_t info;
    uint32_t site_statuses_count;
    rbd_mirror_image_site_status_t *site_statuses;
} rbd_mirror_image_global_status_t;

#endif /* < 16 */

#if LIBRBD_VERSION_CODE < LIBRBD_VERSION(1, 18, 0)

#define LIBRBD_SUPPORTS_COMPARE_AND_WRITE_IOVEC 0
#define LIBRBD_SUPPORTS_DIFF_ITERATE3 0
#define LIBRBD_SUPPORTS_ENCRYPTION_LOAD2 0
#define RBD_DIFF_ITERATE_FLAG_INCLUDE_PARENT (1U << 0)
#define RBD_DIFF_ITERATE_FLAG_WHOLE_OBJECT (1U << 1)
#define RBD_ENCRYPTION_FORMAT_LUKS 2

typedef struct {
    rbd_encryption_format_t format;
    rbd_encryption_options_t opts;
    size_t opts_size;
} rbd_encryption_spec_t;

typedef struct {
    const char *passphrase;
    size_t passphrase_size;
} rbd_encryption_luks_format_options_t;

#endif /* < 18 */

#if LIBRBD_VERSION_CODE < LIBRBD_VERSION(1, 20, 0)

#define LIBRADOS_ALLOC_HINT_FLAG_LOG 1024
#define LIBRBD_SUPPORTS_GROUP_SNAP_GET_INFO 0
#define RBD_LOCK_MODE_EXCLUSIVE_TRANSIENT 2
#define RBD_MIRROR_IMAGE_CREATING 3
#define RBD_MIRROR_MODE_INIT_ONLY 3

typedef enum {
    RBD_GROUP_SNAP_NAMESPACE_TYPE_USER = 0
} rbd_group_snap_namespace_type_t;

typedef struct {
    char *image_name;
    int64_t pool_id;
    uint64_t snap_id;
} rbd_group_image_snap_info_t;

typedef struct {
    char *id;
    char *name;
    char *image_snap_name;
    rbd_group_snap_state_t state;
    rbd_group_snap_namespace_type_t namespace_type;
    size_t image_snaps_count;
    rbd_group_image_snap_info_t *image_snaps;
} rbd_group_snap_info2_t;

typedef struct {
    rbd_snap_namespace_type_t original_namespace_type;
    char *original_name;
} rbd_snap_trash_namespace_t;

#endif /* < 20 */
