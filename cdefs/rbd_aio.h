/* Completions of image I/O and their notification. */

typedef void *rbd_completion_t;
typedef void (*rbd_callback_t)(rbd_completion_t cb, void *arg);

#define EVENT_TYPE_PIPE ...
#define EVENT_TYPE_EVENTFD ...

int rbd_set_image_notification(rbd_image_t image, int fd, int type);
int rbd_aio_create_completion(void *cb_arg, rbd_callback_t complete_cb, rbd_completion_t *c);
int rbd_aio_is_complete(rbd_completion_t c);
int rbd_aio_wait_for_complete(rbd_completion_t c);
ssize_t rbd_aio_get_return_value(rbd_completion_t c);
void *rbd_aio_get_arg(rbd_completion_t c);
void rbd_aio_release(rbd_completion_t c);
int rbd_poll_io_events(rbd_image_t image, rbd_completion_t *comps, int numcomp);
