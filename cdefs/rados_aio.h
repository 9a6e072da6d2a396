/* Asynchronous object I/O and its completions. */

typedef void *rados_completion_t;
typedef void (*rados_callback_t)(rados_completion_t cb, void *arg);

int rados_aio_create_completion(
    void *cb_arg, rados_callback_t cb_complete, rados_callback_t cb_safe,
    rados_completion_t *pc);
int rados_aio_create_completion2(
    void *cb_arg, rados_callback_t cb_complete, rados_completion_t *pc);  // since 16
int rados_aio_wait_for_complete(rados_completion_t c);
int rados_aio_wait_for_safe(rados_completion_t c);
int rados_aio_is_complete(rados_completion_t c);
int rados_aio_is_safe(rados_completion_t c);
int rados_aio_wait_for_complete_and_cb(rados_completion_t c);
int rados_aio_wait_for_safe_and_cb(rados_completion_t c);
int rados_aio_is_complete_and_cb(rados_completion_t c);
int rados_aio_is_safe_and_cb(rados_completion_t c);
int rados_aio_get_return_value(rados_completion_t c);
uint64_t rados_aio_get_version(rados_completion_t c);
void rados_aio_release(rados_completion_t c);
int rados_aio_write(
    rados_ioctx_t io, const char *oid, rados_completion_t completion, const char *buf,
    size_t len, uint64_t off);
int rados_aio_append(
    rados_ioctx_t io, const char *oid, rados_completion_t completion, const char *buf,
    size_t len);
int rados_aio_write_full(
    rados_ioctx_t io, const char *oid, rados_completion_t completion, const char *buf,
    size_t len);
int rados_aio_writesame(
    rados_ioctx_t io, const char *oid, rados_completion_t completion, const char *buf,
    size_t data_len, size_t write_len, uint64_t off);
int rados_aio_remove(rados_ioctx_t io, const char *oid, rados_completion_t completion);
int rados_aio_read(
    rados_ioctx_t io, const char *oid, rados_completion_t completion, char *buf, size_t len,
    uint64_t off);
int rados_aio_flush(rados_ioctx_t io);
int rados_aio_flush_async(rados_ioctx_t io, rados_completion_t completion);
int rados_aio_stat(
    rados_ioctx_t io, const char *o, rados_completion_t completion, uint64_t *psize,
    time_t *pmtime);
int rados_aio_stat2(
    rados_ioctx_t io, const char *o, rados_completion_t completion, uint64_t *psize,
    struct timespec *pmtime);  // since 18
int rados_aio_cmpext(
    rados_ioctx_t io, const char *o, rados_completion_t completion, const char *cmp_buf,
    size_t cmp_len, uint64_t off);
int rados_aio_cancel(rados_ioctx_t io, rados_completion_t completion);
int rados_aio_exec(
    rados_ioctx_t io, const char *o, rados_completion_t completion, const char *cls,
    const char *method, const char *in_buf, size_t in_len, char *buf, size_t out_len);
int rados_aio_getxattr(
    rados_ioctx_t io, const char *o, rados_completion_t completion, const char *name, char *buf,
    size_t len);
int rados_aio_setxattr(
    rados_ioctx_t io, const char *o, rados_completion_t completion, const char *name,
    const char *buf, size_t len);
int rados_aio_rmxattr(
    rados_ioctx_t io, const char *o, rados_completion_t completion, const char *name);
int rados_aio_getxattrs(
    rados_ioctx_t io, const char *oid, rados_completion_t completion, rados_xattrs_iter_t *iter);
