/* Advisory locks on objects. */

#define LIBRADOS_LOCK_FLAG_RENEW ...
#define LIBRADOS_LOCK_FLAG_MAY_RENEW ...
#define LIBRADOS_LOCK_FLAG_MUST_RENEW ...

int rados_lock_exclusive(
    rados_ioctx_t io, const char *oid, const char *name, const char *cookie, const char *desc,
    struct timeval *duration, uint8_t flags);
int rados_lock_shared(
    rados_ioctx_t io, const char *o, const char *name, const char *cookie, const char *tag,
    const char *desc, struct timeval *duration, uint8_t flags);
int rados_unlock(rados_ioctx_t io, const char *o, const char *name, const char *cookie);
int rados_aio_unlock(
    rados_ioctx_t io, const char *o, const char *name, const char *cookie,
    rados_completion_t completion);
ssize_t rados_list_lockers(
    rados_ioctx_t io, const char *o, const char *name, int *exclusive, char *tag,
    size_t *tag_len, char *clients, size_t *clients_len, char *cookies, size_t *cookies_len,
    char *addrs, size_t *addrs_len);
int rados_break_lock(
    rados_ioctx_t io, const char *o, const char *name, const char *client, const char *cookie);
