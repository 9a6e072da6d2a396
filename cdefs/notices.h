/* What librados tells on threads of its own: notifications of objects, the cluster log; see
 * notices.c. */

#define RBDCFFI_NOTICE_NOTIFY ...
#define RBDCFFI_NOTICE_ERROR ...
#define RBDCFFI_NOTICE_MISSED ...
#define RBDCFFI_NOTICE_LOG ...

struct rbdcffi_notice {
    int kind;
    int error;
    uint64_t numbers[3];
    size_t length;
    char *data;
    ...;
};

struct rbdcffi_notices {
    int fd;
    uint64_t cookie;
    ...;
};

int rbdcffi_notices_watch(
    rados_ioctx_t io, struct rbdcffi_notices *notices, const char *oid, uint32_t timeout,
    unsigned capacity);
int rbdcffi_notices_unwatch(struct rbdcffi_notices *notices);
int rbdcffi_notices_log(
    rados_t cluster, struct rbdcffi_notices *notices, const char *level, int old,
    unsigned capacity);
void rbdcffi_notices_end(struct rbdcffi_notices *notices);
int rbdcffi_notices_ended(struct rbdcffi_notices *notices);
struct rbdcffi_notice *rbdcffi_notices_next(struct rbdcffi_notices *notices);
void rbdcffi_notice_free(struct rbdcffi_notice *notice);
void rbdcffi_notices_free(struct rbdcffi_notices *notices);
