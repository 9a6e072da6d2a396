/*
 * Before Ceph 18 rbd_snap_get_timestamp looks into the table of snapshots without taking its lock,
 * and aborts the process for an id that is not in there. Alone, nobody changes the table between
 * the question whether the id is there and the call.
 */
int rbdcffi_snap_get_timestamp(rbd_image_t image, uint64_t snap_id, struct timespec *timestamp)
{
    rbd_snap_namespace_type_t type;
    rbd_image_t raw;
    int result = handle_enter_alone(image, RBDCFFI_IMAGE);

    if (result)
        return result;
    raw = ((struct rbdcffi_handle *)image)->raw;
    result = rbd_snap_get_namespace_type(raw, snap_id, &type);
    if (result >= 0)
        result = rbd_snap_get_timestamp(raw, snap_id, timestamp);
    handle_leave_alone(image);
    return result;
}
