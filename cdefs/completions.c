/*
 * Asynchronous I/O without Python on the threads of librbd and librados.
 *
 * A finished operation is appended to a queue, and an eventfd is written when the queue was
 * empty. An event loop watches the eventfd and drains the queue in batches. An operation counts
 * as a call inside of its handle until it is in the queue: closing the handle waits for it. What it
 * reads or writes is kept by the one who submitted it, until its token comes out of the queue.
 */

#include <sys/eventfd.h>

struct rbdcffi_queue {
    int fd;
    unsigned process;
    int64_t references; /* the owner's, and one for each operation that is not finished */
    int64_t bytes; /* of data, of those; what is told of it */
    pthread_mutex_t lock;
    struct operation *first;
    struct operation *last;
};

enum { OTHER, WRITES, FLUSHES };

struct operation {
    struct operation *next;
    struct rbdcffi_queue *queue;
    struct rbdcffi_handle *handle;
    uint64_t token;
    int64_t result;
    size_t bytes;
    struct rbdcffi_object_io *io; /* of one on an object: see object_io.c */
    int kind; /* of one on an image */
};

struct rbdcffi_queue *rbdcffi_queue_new(void)
{
    struct rbdcffi_queue *queue = calloc(1, sizeof *queue);

    if (queue == NULL)
        return NULL;
    queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->fd < 0) {
        free(queue);
        return NULL;
    }
    queue->process = this_process;
    queue->references = 1;
    pthread_mutex_init(&queue->lock, NULL);
    return queue;
}

static void queue_release(struct rbdcffi_queue *queue)
{
    struct operation *operation, *next;

    if (__atomic_sub_fetch(&queue->references, 1, __ATOMIC_SEQ_CST) != 0)
        return;
    for (operation = queue->first; operation != NULL; operation = next) {
        next = operation->next;
        free(operation);
    }
    close(queue->fd);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

/* The owner lets go; the last unfinished operation frees the queue. */
void rbdcffi_queue_free(struct rbdcffi_queue *queue)
{
    if (queue != NULL && queue->process == this_process)
        queue_release(queue);
}

int rbdcffi_queue_fd(struct rbdcffi_queue *queue)
{
    return queue->fd;
}

static void queue_signal(struct rbdcffi_queue *queue)
{
    uint64_t one = 1;

    /* cannot fail: the counter is far from its limit, and the descriptor is open */
    while (write(queue->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* Takes up to `capacity` finished operations; signals again if there are more. */
unsigned rbdcffi_queue_drain(
    struct rbdcffi_queue *queue, uint64_t *tokens, int64_t *results, unsigned capacity)
{
    struct operation *operation, *taken;
    uint64_t signalled;
    unsigned count = 0;
    int more;

    if (queue->process != this_process)
        return 0;
    while (read(queue->fd, &signalled, sizeof signalled) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&queue->lock);
    taken = operation = queue->first;
    while (operation != NULL && count < capacity) {
        tokens[count] = operation->token;
        results[count] = operation->result;
        count++;
        operation = operation->next;
    }
    queue->first = operation;
    more = operation != NULL;
    if (!more)
        queue->last = NULL;
    pthread_mutex_unlock(&queue->lock);
    if (more)
        queue_signal(queue);
    while (taken != operation) {
        struct operation *next = taken->next;

        free(taken);
        taken = next;
    }
    return count;
}

static void queue_append(struct rbdcffi_queue *queue, struct operation *operation)
{
    int was_empty;

    pthread_mutex_lock(&queue->lock);
    was_empty = queue->first == NULL;
    if (was_empty)
        queue->first = operation;
    else
        queue->last->next = operation;
    queue->last = operation;
    pthread_mutex_unlock(&queue->lock);
    if (was_empty)
        queue_signal(queue);
}

/* For what was done elsewhere: its owner hears of it as of an operation. */
int rbdcffi_queue_push(struct rbdcffi_queue *queue, uint64_t token, int64_t result)
{
    struct operation *operation = calloc(1, sizeof *operation);

    if (operation == NULL)
        return -ENOMEM;
    operation->token = token;
    operation->result = result;
    queue_append(queue, operation);
    return 0;
}

/* For one who changed something else that the owner looks at. */
void rbdcffi_queue_wake(struct rbdcffi_queue *queue)
{
    queue_signal(queue);
}

/* Whether fewer than so many operations, with less data than that, are not finished. */
int rbdcffi_queue_has_room(struct rbdcffi_queue *queue, int64_t operations, int64_t bytes)
{
    return __atomic_load_n(&queue->references, __ATOMIC_SEQ_CST) <= operations
        && __atomic_load_n(&queue->bytes, __ATOMIC_SEQ_CST) <= bytes;
}

static int forgotten;

#ifdef __GLIBC__
/*
 * Threads of the libraries may be running. They would die of what exit does next, which is to
 * destroy the libraries' static objects; so the process ends before that.
 */
static void leave_at_once(int status, void *unused)
{
    (void)unused;
    fflush(NULL);
    _exit(status);
}
#endif

/*
 * At exit, for operations that do not finish: Python's memory goes, they must not touch it. Called
 * as late as can be: what is registered last is called first.
 */
void rbdcffi_forget_operations(void)
{
    if (__atomic_exchange_n(&forgotten, 1, __ATOMIC_SEQ_CST))
        return;
#ifdef __GLIBC__
    on_exit(leave_at_once, NULL);
#endif
}

/* The last of an operation that was started; whoever waits may free what it used. */
static void operation_end(struct operation *operation, int64_t result)
{
    struct rbdcffi_queue *queue = operation->queue;
    struct rbdcffi_handle *handle = operation->handle;

    operation->result = result;
    __atomic_sub_fetch(&queue->bytes, operation->bytes, __ATOMIC_SEQ_CST);
    queue_append(queue, operation);
    handle_drop(handle);
    queue_release(queue);
}

/* Called by librbd, on a thread of its own. */
static void operation_finished(rbd_completion_t completion, void *arg)
{
    struct operation *operation = arg;
    int64_t result;

    if (__atomic_load_n(&forgotten, __ATOMIC_SEQ_CST))
        return;
    result = rbd_aio_get_return_value(completion);
    rbd_aio_release(completion);
    if (operation->kind == (result >= 0 ? WRITES : FLUSHES))
        image_unflushed(operation->handle, 1);
    operation_end(operation, result);
}

/* An operation that holds its handle and its queue. */
static int operation_new(
    struct operation **operation, struct rbdcffi_handle *handle, int kind,
    struct rbdcffi_queue *queue, uint64_t token)
{
    int result = handle_hold(handle, kind);

    if (result < 0)
        return result;
    *operation = calloc(1, sizeof **operation);
    if (*operation == NULL) {
        handle_drop(handle);
        return -ENOMEM;
    }
    (*operation)->queue = queue;
    (*operation)->handle = handle;
    (*operation)->token = token;
    __atomic_add_fetch(&queue->references, 1, __ATOMIC_SEQ_CST);
    return 0;
}

/* One that was not started. */
static void operation_free(struct operation *operation)
{
    struct rbdcffi_queue *queue = operation->queue;

    __atomic_sub_fetch(&queue->bytes, operation->bytes, __ATOMIC_SEQ_CST);
    handle_drop(operation->handle);
    free(operation);
    queue_release(queue);
}

/* An operation on an image, and librbd's completion for it. */
static int operation_start(
    struct operation **operation, rbd_completion_t *completion, struct rbdcffi_handle *handle,
    struct rbdcffi_queue *queue, uint64_t token)
{
    int result = operation_new(operation, handle, RBDCFFI_IMAGE, queue, token);

    if (result < 0)
        return result;
    result = rbd_aio_create_completion(*operation, operation_finished, completion);
    if (result < 0)
        operation_free(*operation);
    return result < 0 ? result : 0;
}

/* What librbd refused at once will not be told by its completion. */
static int operation_started(
    struct operation *operation, rbd_completion_t completion, int64_t result)
{
    if (result >= 0)
        return 0;
    rbd_aio_release(completion);
    if (operation->kind == FLUSHES)
        image_unflushed(operation->handle, 1);
    operation_free(operation);
    return (int)result;
}

#define SUBMIT_AS(does, call)                                                     \
    do {                                                                          \
        struct operation *operation;                                              \
        rbd_completion_t completion;                                              \
        int started = operation_start(&operation, &completion, image, queue, token); \
        rbd_image_t raw;                                                          \
        if (started < 0)                                                          \
            return started;                                                       \
        operation->kind = does;                                                   \
        if (does == FLUSHES)                                                      \
            image_unflushed(image, 0);                                            \
        raw = ((struct rbdcffi_handle *)image)->raw;                              \
        return operation_started(operation, completion, call);                    \
    } while (0)

#define SUBMIT(call) SUBMIT_AS(OTHER, call)

int rbdcffi_aio_read(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, char *buffer, int flags)
{
    SUBMIT(rbd_aio_read2(raw, offset, length, buffer, completion, flags));
}

int rbdcffi_aio_write(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, const char *buffer, int flags)
{
    SUBMIT_AS(WRITES, rbd_aio_write2(raw, offset, length, buffer, completion, flags));
}

int rbdcffi_aio_readv(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, const struct iovec *iov,
    int count, uint64_t offset)
{
    SUBMIT(rbd_aio_readv(raw, iov, count, offset, completion));
}

int rbdcffi_aio_writev(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, const struct iovec *iov,
    int count, uint64_t offset)
{
    SUBMIT_AS(WRITES, rbd_aio_writev(raw, iov, count, offset, completion));
}

/* librbd adds the two in 64 bits, and works for ever on what comes out of it if that is too few. */
static uint64_t range_length(uint64_t offset, uint64_t length)
{
    return length > UINT64_MAX - offset ? UINT64_MAX - offset : length;
}

int rbdcffi_aio_discard(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    uint64_t length)
{
    SUBMIT_AS(WRITES, rbd_aio_discard(raw, offset, range_length(offset, length), completion));
}

int rbdcffi_aio_write_zeroes(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, int zero_flags, int flags)
{
    SUBMIT_AS(WRITES, rbd_aio_write_zeroes(
        raw, offset, range_length(offset, length), completion, zero_flags, flags));
}

int rbdcffi_aio_flush(rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token)
{
    SUBMIT_AS(FLUSHES, rbd_aio_flush(raw, completion));
}

int rbdcffi_aio_compare_and_write(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, const char *compare, const char *buffer, uint64_t *mismatch, int flags)
{
    SUBMIT_AS(WRITES, rbd_aio_compare_and_write(
        raw, offset, length, compare, buffer, completion, mismatch, flags));
}

/*
 * Opens an image into a handle that has none yet. The handle counts as in use until the image is
 * open, so closing it, or its cluster, waits for that; if the image cannot be opened it stays empty.
 */
int rbdcffi_aio_open(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, rados_ioctx_t ioctx,
    const char *name, const char *snap, int by_id, int read_only)
{
    struct operation *operation;
    rbd_completion_t completion;
    rados_ioctx_t raw;
    rbd_image_t *opened;
    int result = handle_enter(ioctx, RBDCFFI_IOCTX);

    if (result < 0)
        return result;
    result = operation_start(&operation, &completion, image, queue, token);
    if (result >= 0) {
        raw = ((struct rbdcffi_handle *)ioctx)->raw;
        opened = &((struct rbdcffi_handle *)image)->raw;
        if (by_id)
            result = read_only
                ? rbd_aio_open_by_id_read_only(raw, name, opened, snap, completion)
                : rbd_aio_open_by_id(raw, name, opened, snap, completion);
        else
            result = read_only ? rbd_aio_open_read_only(raw, name, opened, snap, completion)
                               : rbd_aio_open(raw, name, opened, snap, completion);
        result = operation_started(operation, completion, result);
    }
    handle_leave(ioctx);
    return result;
}

int rbdcffi_aio_writesame(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, const char *buffer, size_t size, int flags)
{
    SUBMIT_AS(WRITES, rbd_aio_writesame(raw, offset, length, buffer, size, completion, flags));
}

int rbdcffi_aio_compare_and_writev(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    const struct iovec *compare, int compare_count, const struct iovec *iov, int count,
    uint64_t *mismatch, int flags)
{
    if (rbd_aio_compare_and_writev == NULL)
        return REFUSE(0, RBDCFFI_ABSENT);
    SUBMIT_AS(WRITES, rbd_aio_compare_and_writev(
        raw, offset, compare, compare_count, iov, count, completion, mismatch, flags));
}

int rbdcffi_aio_write_with_crc32c(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, const char *buffer, uint32_t crc32c, int flags)
{
    if (rbd_aio_write_with_crc32c == NULL)
        return REFUSE(0, RBDCFFI_ABSENT);
    SUBMIT_AS(WRITES, rbd_aio_write_with_crc32c(
        raw, offset, length, buffer, crc32c, completion, flags));
}

/* For writes that librbd offers in the asynchronous form only: starts one and waits for it. */
#define WAIT_FOR(call)                                                    \
    do {                                                                  \
        struct rbdcffi_handle *handle = image;                            \
        rbd_completion_t completion;                                      \
        rbd_image_t raw;                                                  \
        int64_t result = handle_enter_waiting(handle, RBDCFFI_IMAGE);     \
        if (result)                                                       \
            return result;                                                \
        raw = handle->raw;                                                \
        result = rbd_aio_create_completion(NULL, NULL, &completion);      \
        if (result >= 0) {                                                \
            result = call;                                                \
            if (result >= 0) {                                            \
                rbd_aio_wait_for_complete(completion);                    \
                result = rbd_aio_get_return_value(completion);            \
            }                                                             \
            rbd_aio_release(completion);                                  \
        }                                                                 \
        if (result >= 0)                                                  \
            image_unflushed(handle, 1);                                   \
        handle_leave(handle);                                             \
        return result;                                                    \
    } while (0)

int64_t rbdcffi_compare_and_writev(
    rbd_image_t image, uint64_t offset, const struct iovec *compare, int compare_count,
    const struct iovec *iov, int count, uint64_t *mismatch, int flags)
{
    if (rbd_aio_compare_and_writev == NULL)
        return REFUSE(0, RBDCFFI_ABSENT);
    WAIT_FOR(rbd_aio_compare_and_writev(
        raw, offset, compare, compare_count, iov, count, completion, mismatch, flags));
}

int64_t rbdcffi_write_with_crc32c(
    rbd_image_t image, uint64_t offset, size_t length, const char *buffer, uint32_t crc32c,
    int flags)
{
    if (rbd_aio_write_with_crc32c == NULL)
        return REFUSE(0, RBDCFFI_ABSENT);
    WAIT_FOR(rbd_aio_write_with_crc32c(raw, offset, length, buffer, crc32c, completion, flags));
}
