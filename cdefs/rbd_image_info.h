/* Facts about an open image. */

typedef struct {
    uint64_t size;
    uint64_t obj_size;
    uint64_t num_objs;
    int order;
    char block_name_prefix[...];
    int64_t parent_pool;
    char parent_name[...];
    ...;
} rbd_image_info_t;

int rbd_features_to_string(uint64_t features, char *str_features, size_t *size);  // since 16
int rbd_features_from_string(const char *str_features, uint64_t *features);  // since 16
int rbd_stat(rbd_image_t image, rbd_image_info_t *info, size_t infosize);
int rbd_get_old_format(rbd_image_t image, uint8_t *old);
int rbd_get_size(rbd_image_t image, uint64_t *size);
int rbd_get_features(rbd_image_t image, uint64_t *features);
int rbd_get_op_features(rbd_image_t image, uint64_t *op_features);
int rbd_get_stripe_unit(rbd_image_t image, uint64_t *stripe_unit);
int rbd_get_stripe_count(rbd_image_t image, uint64_t *stripe_count);
int rbd_get_create_timestamp(rbd_image_t image, struct timespec *timestamp);
int rbd_get_access_timestamp(rbd_image_t image, struct timespec *timestamp);
int rbd_get_modify_timestamp(rbd_image_t image, struct timespec *timestamp);
int rbd_get_name(rbd_image_t image, char *name, size_t *name_len);
int rbd_get_id(rbd_image_t image, char *id, size_t id_len);
int rbd_get_block_name_prefix(rbd_image_t image, char *prefix, size_t prefix_len);
int64_t rbd_get_data_pool_id(rbd_image_t image);
int rbd_get_flags(rbd_image_t image, uint64_t *flags);
