/*
 * Asynchronous I/O on objects; see object_io.c.
 *
 * Names, and data that is written, are copied by librados before the call returns. What it fills
 * must stay until the token comes out of the queue, and so must the rbdcffi_object_io.
 */

struct rbdcffi_object_io {
    rados_completion_t completion;
    uint64_t version;
    ...;
};

int rbdcffi_object_read(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, char *buffer, size_t length, uint64_t offset);
int rbdcffi_object_write(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *buffer, size_t length, uint64_t offset);
int rbdcffi_object_write_full(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *buffer, size_t length);
int rbdcffi_object_append(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *buffer, size_t length);
int rbdcffi_object_writesame(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *buffer, size_t size, size_t length, uint64_t offset);
int rbdcffi_object_remove(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid);
int rbdcffi_object_stat(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, uint64_t *size, time_t *changed);
int rbdcffi_object_stat2(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, uint64_t *size, struct timespec *changed);
int rbdcffi_object_cmpext(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *buffer, size_t length, uint64_t offset);
int rbdcffi_object_exec(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *cls, const char *method, const char *input, size_t input_length,
    char *buffer, size_t length);
int rbdcffi_object_getxattr(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *name, char *buffer, size_t length);
int rbdcffi_object_setxattr(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *name, const char *buffer, size_t length);
int rbdcffi_object_rmxattr(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, const char *name);
int rbdcffi_object_getxattrs(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, rados_xattrs_iter_t *iterator);
int rbdcffi_object_write_op(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, rados_write_op_t steps, struct timespec *changed, int flags);
int rbdcffi_object_read_op(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io,
    const char *oid, rados_read_op_t steps, int flags);
int rbdcffi_object_flush(
    rados_ioctx_t ioctx, struct rbdcffi_queue *queue, uint64_t token, struct rbdcffi_object_io *io);
int rbdcffi_object_cancel(rados_ioctx_t ioctx, struct rbdcffi_object_io *io);
