/* Metadata and configuration of images and pools. */

typedef enum {
    RBD_CONFIG_SOURCE_CONFIG,
    RBD_CONFIG_SOURCE_POOL,
    RBD_CONFIG_SOURCE_IMAGE,
    ...
} rbd_config_source_t;

typedef struct {
    char *name;
    char *value;
    rbd_config_source_t source;
    ...;
} rbd_config_option_t;

int rbd_pool_metadata_get(rados_ioctx_t io_ctx, const char *key, char *value, size_t *val_len);
int rbd_pool_metadata_set(rados_ioctx_t io_ctx, const char *key, const char *value);
int rbd_pool_metadata_remove(rados_ioctx_t io_ctx, const char *key);
int rbd_pool_metadata_list(
    rados_ioctx_t io_ctx, const char *start, uint64_t max, char *keys, size_t *key_len,
    char *values, size_t *vals_len);
int rbd_config_pool_list(rados_ioctx_t io_ctx, rbd_config_option_t *options, int *max_options);
void rbd_config_pool_list_cleanup(rbd_config_option_t *options, int max_options);
int rbd_metadata_get(rbd_image_t image, const char *key, char *value, size_t *val_len);
int rbd_metadata_set(rbd_image_t image, const char *key, const char *value);
int rbd_metadata_remove(rbd_image_t image, const char *key);
int rbd_metadata_list(
    rbd_image_t image, const char *start, uint64_t max, char *keys, size_t *key_len,
    char *values, size_t *vals_len);
int rbd_config_image_list(rbd_image_t image, rbd_config_option_t *options, int *max_options);
void rbd_config_image_list_cleanup(rbd_config_option_t *options, int max_options);
