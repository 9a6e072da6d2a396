/* Watchers, update notification, quiesce hooks. */

typedef void (*rbd_update_callback_t)(void *arg);

typedef struct {
    char *addr;
    int64_t id;
    uint64_t cookie;
    ...;
} rbd_image_watcher_t;

int rbd_update_features(rbd_image_t image, uint64_t features, uint8_t enabled);
int rbd_update_watch(
    rbd_image_t image, uint64_t *handle, rbd_update_callback_t watch_cb, void *arg);
int rbd_update_unwatch(rbd_image_t image, uint64_t handle);
int rbd_watchers_list(rbd_image_t image, rbd_image_watcher_t *watchers, size_t *max_watchers);
void rbd_watchers_list_cleanup(rbd_image_watcher_t *watchers, size_t num_watchers);
int rbd_quiesce_watch(
    rbd_image_t image, rbd_update_callback_t quiesce_cb, rbd_update_callback_t unquiesce_cb,
    void *arg, uint64_t *handle);  // since 16
void rbd_quiesce_complete(rbd_image_t image, uint64_t handle, int r);  // since 16
int rbd_quiesce_unwatch(rbd_image_t image, uint64_t handle);  // since 16
