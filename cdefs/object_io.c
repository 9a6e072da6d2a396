/*
 * Asynchronous I/O on objects: librados' own, finished like that on images (completions.c).
 *
 * Unlike librbd, librados can take an operation back. For that its completion must be at hand as
 * long as it exists, which is what struct rbdcffi_object_io is for: memory of whoever submits.
 */

#include <string.h>

struct rbdcffi_object_io {
    rados_completion_t completion; /* NULL when the operation is over */
    uint64_t version;
    /* of a method that is executed: what librados made of its output, and where to put that */
    char *output;
    size_t output_length;
    int output_result;
    char *buffer;
    size_t capacity;
};

/*
 * Held while a completion is used for cancelling, and to say that it must not be used any more.
 * librados calls back on threads that hold no lock of it.
 */
static pthread_mutex_t cancel_lock = PTHREAD_MUTEX_INITIALIZER;

static void object_cancel_after_fork(void)
{
    pthread_mutex_init(&cancel_lock, NULL);
}

__attribute__((constructor)) static void object_watch_forks(void)
{
    pthread_atfork(NULL, NULL, object_cancel_after_fork);
}

/* The length of the output, which is in the caller's buffer then. */
static int64_t take_output(struct rbdcffi_object_io *io, int64_t result)
{
    if (result >= 0 && io->output != NULL) {
        result = -ERANGE;
        if (io->output_length <= io->capacity) {
            memcpy(io->buffer, io->output, io->output_length);
            result = io->output_length;
        }
    }
    if (io->output != NULL)
        rados_buffer_free(io->output);
    io->output = NULL;
    return result;
}

/* Called by librados, on a thread of its own. */
static void object_finished(rados_completion_t completion, void *arg)
{
    struct operation *operation = arg;
    int64_t result;

    if (__atomic_load_n(&forgotten, __ATOMIC_SEQ_CST))
        return;
    pthread_mutex_lock(&cancel_lock);
    operation->io->completion = NULL;
    pthread_mutex_unlock(&cancel_lock);
    operation->io->version = rados_aio_get_version(completion);
    result = rados_aio_get_return_value(completion);
    rados_aio_release(completion);
    if (operation->io->buffer != NULL)
        result = take_output(operation->io, result);
    operation_end(operation, result);
}

static int object_start(
    struct operation **operation, struct rbdcffi_handle *handle, struct rbdcffi_queue *queue,
    uint64_t token, struct rbdcffi_object_io *io, size_t bytes)
{
    int result = operation_new(operation, handle, RBDCFFI_IOCTX, queue, token);

    if (result < 0)
        return result;
    (*operation)->io = io;
    (*operation)->bytes = bytes;
    __atomic_add_fetch(&queue->bytes, bytes, __ATOMIC_SEQ_CST);
    io->version = 0;
    io->buffer = NULL;
    /* the older one takes two callbacks: for what is in memory, and what is safe, which is the same
     * since Ceph 12 */
    if (rados_aio_create_completion2 != NULL)
        result = rados_aio_create_completion2(*operation, object_finished, &io->completion);
    else
        result = rados_aio_create_completion(*operation, object_finished, NULL, &io->completion);
    if (result < 0) {
        io->completion = NULL;
        operation_free(*operation);
        return result;
    }
    return 0;
}

/* What librados refused at once will not be told by its completion. */
static int object_started(
    struct operation *operation, struct rbdcffi_object_io *io, rados_completion_t completion,
    int result)
{
    if (result >= 0)
        return 0;
    pthread_mutex_lock(&cancel_lock);
    io->completion = NULL;
    pthread_mutex_unlock(&cancel_lock);
    rados_aio_release(completion);
    operation_free(operation);
    return result;
}

/* `completion` is a copy: the operation may be over, and its io gone, when the call returns. */
#define SUBMIT_OBJECT(bytes, call)                                                    \
    do {                                                                              \
        struct operation *operation;                                                  \
        rados_completion_t completion;                                                \
        int started = object_start(&operation, ioctx, queue, token, io, bytes);       \
        rados_ioctx_t raw;                                                            \
        if (started < 0)                                                              \
            return started;                                                           \
        completion = io->completion;                                                  \
        raw = ((struct rbdcffi_handle *)ioctx)->raw;                                  \
        return object_started(operation, io, completion, call);                       \
    } while (0)

int rbdcffi_object_read(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, char *buffer, size_t length, uint64_t offset)
{
    SUBMIT_OBJECT(length, rados_aio_read(raw, oid, completion, buffer, length, offset));
}

int rbdcffi_object_write(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *buffer, size_t length, uint64_t offset)
{
    /* writing nothing behind the end spoils the object on OSDs before Ceph 18 */
    SUBMIT_OBJECT(
        length, rados_aio_write(raw, oid, completion, buffer, length, length ? offset : 0));
}

int rbdcffi_object_write_full(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *buffer, size_t length)
{
    SUBMIT_OBJECT(length, rados_aio_write_full(raw, oid, completion, buffer, length));
}

int rbdcffi_object_append(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *buffer, size_t length)
{
    SUBMIT_OBJECT(length, rados_aio_append(raw, oid, completion, buffer, length));
}

int rbdcffi_object_writesame(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *buffer, size_t size, size_t length, uint64_t offset)
{
    SUBMIT_OBJECT(size, rados_aio_writesame(raw, oid, completion, buffer, size, length, offset));
}

int rbdcffi_object_remove(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid)
{
    SUBMIT_OBJECT(0, rados_aio_remove(raw, oid, completion));
}

int rbdcffi_object_stat(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, uint64_t *size, time_t *changed)
{
    SUBMIT_OBJECT(0, rados_aio_stat(raw, oid, completion, size, changed));
}

int rbdcffi_object_stat2(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, uint64_t *size, struct timespec *changed)
{
    if (rados_aio_stat2 == NULL)
        return REFUSE(0, RBDCFFI_ABSENT);
    SUBMIT_OBJECT(0, rados_aio_stat2(raw, oid, completion, size, changed));
}

int rbdcffi_object_cmpext(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *buffer, size_t length, uint64_t offset)
{
    SUBMIT_OBJECT(length, rados_aio_cmpext(raw, oid, completion, buffer, length, offset));
}

/*
 * As an operation of one step: librados's call for it alone writes behind the end of a buffer that
 * is too small for the output.
 */
int rbdcffi_object_exec(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *cls, const char *method, const char *input, size_t input_length,
    char *buffer, size_t length)
{
    struct operation *operation;
    rados_completion_t completion;
    rados_read_op_t steps;
    int result = object_start(&operation, ioctx, queue, token, io, input_length);

    if (result < 0)
        return result;
    completion = io->completion;
    io->output = NULL;
    io->output_length = 0;
    io->buffer = buffer;
    io->capacity = length;
    steps = rados_create_read_op();
    rados_read_op_exec(
        steps, cls, method, input, input_length, &io->output, &io->output_length,
        &io->output_result);
    result = rados_aio_read_op_operate(
        steps, ((struct rbdcffi_handle *)ioctx)->raw, completion, oid, 0);
    rados_release_read_op(steps);
    return object_started(operation, io, completion, result);
}

int rbdcffi_object_getxattr(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *name, char *buffer, size_t length)
{
    SUBMIT_OBJECT(0, rados_aio_getxattr(raw, oid, completion, name, buffer, length));
}

int rbdcffi_object_setxattr(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *name, const char *buffer, size_t length)
{
    SUBMIT_OBJECT(length, rados_aio_setxattr(raw, oid, completion, name, buffer, length));
}

int rbdcffi_object_rmxattr(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *name)
{
    SUBMIT_OBJECT(0, rados_aio_rmxattr(raw, oid, completion, name));
}

int rbdcffi_object_getxattrs(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, rados_xattrs_iter_t *iterator)
{
    SUBMIT_OBJECT(0, rados_aio_getxattrs(raw, oid, completion, iterator));
}

/* The steps, and what they fill, are the caller's. No time of change is the present. */
int rbdcffi_object_write_op(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, rados_write_op_t steps, struct timespec *changed, int flags)
{
    if (changed != NULL && rados_aio_write_op_operate2 != NULL)
        SUBMIT_OBJECT(
            0, rados_aio_write_op_operate2(steps, raw, completion, oid, changed, flags));
    else
        SUBMIT_OBJECT(
            0,
            rados_aio_write_op_operate(
                steps, raw, completion, oid, changed == NULL ? NULL : &changed->tv_sec, flags));
}

int rbdcffi_object_read_op(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, rados_read_op_t steps, int flags)
{
    SUBMIT_OBJECT(0, rados_aio_read_op_operate(steps, raw, completion, oid, flags));
}

int rbdcffi_object_flush(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io)
{
    SUBMIT_OBJECT(0, rados_aio_flush_async(raw, completion));
}

/*
 * Takes an operation back, if it is not over: it finishes with -ECANCELED then. Works on a handle
 * that is being closed, too, which the operation keeps open. 0 if it was taken back.
 */
int rbdcffi_object_cancel(rados_ioctx_t ioctx, struct rbdcffi_object_io *io)
{
    struct rbdcffi_handle *handle = ioctx;
    int result = -ENOENT;

    if (handle == NULL)
        return REFUSE(RBDCFFI_IOCTX, RBDCFFI_NEVER_OPENED);
    if (handle->process != this_process)
        return REFUSE(RBDCFFI_IOCTX, RBDCFFI_FORKED);
    pthread_mutex_lock(&cancel_lock);
    if (io->completion != NULL)
        result = rados_aio_cancel(handle->raw, io->completion);
    pthread_mutex_unlock(&cancel_lock);
    return result;
}
