/*
 * Closing an image writes back what its cache holds, and rbd_close succeeds also when that failed
 * and the data is lost: the cluster was full, or did not answer, or has blocked this client. So
 * what rbd_flush says comes first, and is the result.
 *
 * An image to which nothing was written since it was flushed is closed as ever. Writes tell when
 * they are done and still count as inside, flushes before they start: so a write that was not covered
 * by a flush is told of after it. Of a write that failed the caller knows; after a flush that failed
 * the data may be there still, and may be lost now.
 */

static void image_unflushed(struct rbdcffi_handle *handle, int unflushed)
{
    __atomic_store_n(&handle->unflushed, unflushed, __ATOMIC_SEQ_CST);
}

/* Whether the cache may hold something. Flushing would take the exclusive lock, away from another
 * client maybe; and a client gives it up only when everything is written back. */
static int image_may_be_dirty(rbd_image_t image)
{
    uint64_t features;
    int owner = 0;

    if (rbd_get_features(image, &features) < 0 || !(features & RBD_FEATURE_EXCLUSIVE_LOCK))
        return 1;
    /* an error comes from the cluster, which is asked only by an owner */
    return rbd_is_exclusive_lock_owner(image, &owner) < 0 || owner;
}

/*
 * Whether librbd may let go of an image that could not be flushed. Its write-back cache tries again
 * and again, and a try that is under way when the image goes finds freed memory. What a blocked
 * client has written can be dropped; else a flush must say that there is nothing left (as it does
 * without that cache, where a write that has failed is over).
 */
static int image_is_idle(rbd_image_t image, int failed)
{
    if (failed == -ESHUTDOWN) {
        rbd_invalidate_cache(image);
        return 1;
    }
    return rbd_flush(image) == 0;
}

static void watches_end(struct rbdcffi_handle *image);

/* If rbdcffi_handle_destroyed does not say so afterwards, the image is to be closed again later. */
int rbdcffi_close_image(rbd_image_t closing)
{
    struct rbdcffi_handle *handle = closing;
    rbd_image_t image;
    int flushed = 0, closed;

    watches_end(handle);
    image = handle_take(handle);
    if (image == NULL)
        return REFUSE(RBDCFFI_IMAGE, RBDCFFI_CLOSED);
    if (__atomic_load_n(&handle->unflushed, __ATOMIC_SEQ_CST) && image_may_be_dirty(image))
        flushed = rbd_flush(image);
    /* without the right to write there is nothing to write back */
    if (flushed == -EROFS)
        flushed = 0;
    if (flushed < 0 && !image_is_idle(image, flushed)) {
        __atomic_store_n(&handle->raw, image, __ATOMIC_SEQ_CST);
        return flushed;
    }
    closed = rbd_close(image);
    return flushed < 0 ? flushed : closed;
}

/* Whether something was written since it was flushed. */
int rbdcffi_unflushed(struct rbdcffi_handle *image)
{
    return image != NULL && __atomic_load_n(&image->unflushed, __ATOMIC_SEQ_CST);
}

/* Which cluster the handle belongs to, also when it is shut; for as long as it is not destroyed. */
int rbdcffi_family_fsid(struct rbdcffi_handle *handle, char *fsid, size_t length)
{
    return rados_cluster_fsid(handle->family->raw, fsid, length);
}
