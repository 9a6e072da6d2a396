/* The mirroring of an image, asynchronously (completions.c), and what C allocates for it. */

int rbdcffi_aio_mirror_image_create_snapshot(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint32_t flags,
    uint64_t *snap_id);
int rbdcffi_aio_mirror_image_get_info(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token,
    rbd_mirror_image_info_t *info);
int rbdcffi_aio_mirror_image_get_mode(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token,
    rbd_mirror_image_mode_t *mode);
int rbdcffi_aio_mirror_image_get_status(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token,
    rbd_mirror_image_status_t *status);
int rbdcffi_aio_mirror_image_get_global_status(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token,
    rbd_mirror_image_global_status_t *status);

void rbdcffi_mirror_info_cleanup(rbd_mirror_image_info_t *info);
void rbdcffi_mirror_status_cleanup(rbd_mirror_image_status_t *status);
void rbdcffi_mirror_global_status_cleanup(rbd_mirror_image_global_status_t *status);
