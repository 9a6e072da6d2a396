/* The libraries' own asynchronous I/O, finished in C and told by an eventfd; see completions.c. */

struct rbdcffi_queue;

struct rbdcffi_queue *rbdcffi_queue_new(void);
void rbdcffi_queue_free(struct rbdcffi_queue *queue);
void rbdcffi_forget_operations(void);
int rbdcffi_queue_fd(struct rbdcffi_queue *queue);
unsigned rbdcffi_queue_drain(
    struct rbdcffi_queue *queue, uint64_t *tokens, int64_t *results, unsigned capacity);
int rbdcffi_queue_push(struct rbdcffi_queue *queue, uint64_t token, int64_t result);
void rbdcffi_queue_wake(struct rbdcffi_queue *queue);
int rbdcffi_queue_has_room(struct rbdcffi_queue *queue, int64_t operations, int64_t bytes);

int rbdcffi_aio_read(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, char *buffer, int flags);
int rbdcffi_aio_write(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, const char *buffer, int flags);
int rbdcffi_aio_readv(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, const struct iovec *iov,
    int count, uint64_t offset);
int rbdcffi_aio_writev(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, const struct iovec *iov,
    int count, uint64_t offset);
int rbdcffi_aio_discard(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    uint64_t length);
int rbdcffi_aio_write_zeroes(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, int zero_flags, int flags);
int rbdcffi_aio_flush(rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token);
int rbdcffi_aio_compare_and_write(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, const char *compare, const char *buffer, uint64_t *mismatch, int flags);
int rbdcffi_aio_open(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, rados_ioctx_t ioctx,
    const char *name, const char *snap, int by_id, int read_only);
int rbdcffi_aio_writesame(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, const char *buffer, size_t size, int flags);
int rbdcffi_aio_compare_and_writev(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    const struct iovec *compare, int compare_count, const struct iovec *iov, int count,
    uint64_t *mismatch, int flags);
int rbdcffi_aio_write_with_crc32c(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, const char *buffer, uint32_t crc32c, int flags);

int64_t rbdcffi_compare_and_writev(
    rbd_image_t image, uint64_t offset, const struct iovec *compare, int compare_count,
    const struct iovec *iov, int count, uint64_t *mismatch, int flags);
int64_t rbdcffi_write_with_crc32c(
    rbd_image_t image, uint64_t offset, size_t length, const char *buffer, uint32_t crc32c,
    int flags);
