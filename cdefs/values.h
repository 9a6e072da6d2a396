/*
 * The facts about an image that are single numbers, returned instead of stored through a pointer
 * (or the negative error): allocating the place to store it costs more than the call.
 */

#define RBDCFFI_HUGE ...

int64_t rbdcffi_get_size(rbd_image_t image);
int64_t rbdcffi_get_features(rbd_image_t image);
int64_t rbdcffi_get_op_features(rbd_image_t image);
int64_t rbdcffi_get_flags(rbd_image_t image);
int64_t rbdcffi_get_overlap(rbd_image_t image);
int64_t rbdcffi_get_stripe_unit(rbd_image_t image);
int64_t rbdcffi_get_stripe_count(rbd_image_t image);
