/*
 * Asynchronous image I/O without Python on librbd's threads.
 *
 * A finished operation is appended to a queue, and an eventfd is written when the queue was
 * empty. An event loop watches the eventfd and drains the queue in batches. An operation counts
 * as a call inside of its image until it is in the queue: closing the image waits for it. What it
 * reads or writes is kept by the one who submitted it, until its token comes out of the queue.
 */

#include <sys/eventfd.h>

struct rbdcffi_queue {
    int fd;
    unsigned process;
    int64_t references; /* the owner's, and one for each operation that is not finished */
    pthread_mutex_t lock;
    struct operation *first;
    struct operation *last;
};

struct operation {
    struct operation *next;
    struct rbdcffi_queue *queue;
    struct rbdcffi_handle *handle;
    uint64_t token;
    int64_t result;
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

static int forgotten;

/* At exit, for operations that do not finish: Python's memory goes, they must not touch it. */
void rbdcffi_forget_operations(void)
{
    __atomic_store_n(&forgotten, 1, __ATOMIC_SEQ_CST);
}

/* Called by librbd, on a thread of its own. */
static void operation_finished(rbd_completion_t completion, void *arg)
{
    struct operation *operation = arg;
    struct rbdcffi_queue *queue = operation->queue;
    struct rbdcffi_handle *handle = operation->handle;
    int was_empty;

    if (__atomic_load_n(&forgotten, __ATOMIC_SEQ_CST))
        return;
    operation->result = rbd_aio_get_return_value(completion);
    rbd_aio_release(completion);
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
    handle_drop(handle);
    queue_release(queue);
}

/* An operation that holds its image and its queue, and librbd's completion for it. */
static int operation_start(
    struct operation **operation, rbd_completion_t *completion, struct rbdcffi_handle *handle,
    struct rbdcffi_queue *queue, uint64_t token)
{
    int result = handle_hold(handle, RBDCFFI_IMAGE);

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
    result = rbd_aio_create_completion(*operation, operation_finished, completion);
    if (result < 0) {
        free(*operation);
        handle_drop(handle);
        return result;
    }
    __atomic_add_fetch(&queue->references, 1, __ATOMIC_SEQ_CST);
    return 0;
}

/* What librbd refused at once will not be told by its completion. */
static int operation_started(
    struct operation *operation, rbd_completion_t completion, int64_t result)
{
    struct rbdcffi_queue *queue;

    if (result >= 0)
        return 0;
    queue = operation->queue;
    rbd_aio_release(completion);
    handle_drop(operation->handle);
    free(operation);
    queue_release(queue);
    return (int)result;
}

#define SUBMIT(call)                                                              \
    do {                                                                          \
        struct operation *operation;                                              \
        rbd_completion_t completion;                                              \
        int started = operation_start(&operation, &completion, image, queue, token); \
        rbd_image_t raw;                                                          \
        if (started < 0)                                                          \
            return started;                                                       \
        raw = ((struct rbdcffi_handle *)image)->raw;                              \
        return operation_started(operation, completion, call);                    \
    } while (0)

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
    SUBMIT(rbd_aio_write2(raw, offset, length, buffer, completion, flags));
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
    SUBMIT(rbd_aio_writev(raw, iov, count, offset, completion));
}

int rbdcffi_aio_discard(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    uint64_t length)
{
    SUBMIT(rbd_aio_discard(raw, offset, length, completion));
}

int rbdcffi_aio_write_zeroes(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, int zero_flags, int flags)
{
    SUBMIT(rbd_aio_write_zeroes(raw, offset, length, completion, zero_flags, flags));
}

int rbdcffi_aio_flush(rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token)
{
    SUBMIT(rbd_aio_flush(raw, completion));
}

int rbdcffi_aio_compare_and_write(
    rbd_image_t image, struct rbdcffi_queue *queue, uint64_t token, uint64_t offset,
    size_t length, const char *compare, const char *buffer, uint64_t *mismatch, int flags)
{
    SUBMIT(rbd_aio_compare_and_write(
        raw, offset, length, compare, buffer, completion, mismatch, flags));
}
