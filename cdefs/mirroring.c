/*
 * The mirroring of an image: operations for the queue of completions.c, and functions that free
 * what librbd has allocated. Those are destructors of the structs that it fills: they may find
 * them empty, and Ceph 14 lacks some of librbd's own.
 */

int rbdcffi_aio_mirror_image_create_snapshot(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint32_t flags,
    uint64_t *snap_id)
{
    if (rbd_aio_mirror_image_create_snapshot == NULL)
        return REFUSE(RBDCFFI_IMAGE, RBDCFFI_ABSENT);
    SUBMIT(rbd_aio_mirror_image_create_snapshot(raw, flags, snap_id, completion));
}

int rbdcffi_aio_mirror_image_get_info(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, rbd_mirror_image_info_t *info)
{
    SUBMIT(rbd_aio_mirror_image_get_info(raw, info, sizeof *info, completion));
}

int rbdcffi_aio_mirror_image_get_mode(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, rbd_mirror_image_mode_t *mode)
{
    if (rbd_aio_mirror_image_get_mode == NULL)
        return REFUSE(RBDCFFI_IMAGE, RBDCFFI_ABSENT);
    SUBMIT(rbd_aio_mirror_image_get_mode(raw, mode, completion));
}

int rbdcffi_aio_mirror_image_get_status(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token,
    rbd_mirror_image_status_t *status)
{
    SUBMIT(rbd_aio_mirror_image_get_status(raw, status, sizeof *status, completion));
}

int rbdcffi_aio_mirror_image_get_global_status(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token,
    rbd_mirror_image_global_status_t *status)
{
    if (rbd_aio_mirror_image_get_global_status == NULL)
        return REFUSE(RBDCFFI_IMAGE, RBDCFFI_ABSENT);
    SUBMIT(rbd_aio_mirror_image_get_global_status(raw, status, sizeof *status, completion));
}

void rbdcffi_mirror_info_cleanup(rbd_mirror_image_info_t *info)
{
    free(info->global_id);
    info->global_id = NULL;
}

void rbdcffi_mirror_status_cleanup(rbd_mirror_image_status_t *status)
{
    rbdcffi_mirror_info_cleanup(&status->info);
    free(status->name);
    free(status->description);
    status->name = status->description = NULL;
}

void rbdcffi_mirror_global_status_cleanup(rbd_mirror_image_global_status_t *status)
{
    if (rbd_mirror_image_global_status_cleanup != NULL && status->name != NULL)
        rbd_mirror_image_global_status_cleanup(status);
    status->name = NULL;
}
