/* The time of a snapshot, which librbd of before Ceph 18 does not tell safely. */

int rbdcffi_snap_get_timestamp(
    rbd_image_t image, uint64_t snap_id, struct timespec *timestamp);
