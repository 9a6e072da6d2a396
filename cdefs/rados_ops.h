/* Compound read and write operations. */

#define LIBRADOS_CMPXATTR_OP_EQ ...
#define LIBRADOS_CMPXATTR_OP_NE ...
#define LIBRADOS_CMPXATTR_OP_GT ...
#define LIBRADOS_CMPXATTR_OP_GTE ...
#define LIBRADOS_CMPXATTR_OP_LT ...
#define LIBRADOS_CMPXATTR_OP_LTE ...

#define LIBRADOS_OPERATION_NOFLAG ...
#define LIBRADOS_OPERATION_BALANCE_READS ...
#define LIBRADOS_OPERATION_LOCALIZE_READS ...
#define LIBRADOS_OPERATION_ORDER_READS_WRITES ...
#define LIBRADOS_OPERATION_IGNORE_CACHE ...
#define LIBRADOS_OPERATION_SKIPRWLOCKS ...
#define LIBRADOS_OPERATION_IGNORE_OVERLAY ...
#define LIBRADOS_OPERATION_FULL_TRY ...
#define LIBRADOS_OPERATION_FULL_FORCE ...
#define LIBRADOS_OPERATION_IGNORE_REDIRECT ...
#define LIBRADOS_OPERATION_ORDERSNAP ...
#define LIBRADOS_OPERATION_RETURNVEC ...

typedef void *rados_write_op_t;
typedef void *rados_read_op_t;

rados_write_op_t rados_create_write_op(void);
void rados_release_write_op(rados_write_op_t write_op);
void rados_write_op_set_flags(rados_write_op_t write_op, int flags);
void rados_write_op_assert_exists(rados_write_op_t write_op);
void rados_write_op_assert_version(rados_write_op_t write_op, uint64_t ver);
void rados_write_op_cmpext(
    rados_write_op_t write_op, const char *cmp_buf, size_t cmp_len, uint64_t off, int *prval);
void rados_write_op_cmpxattr(
    rados_write_op_t write_op, const char *name, uint8_t comparison_operator, const char *value,
    size_t value_len);
void rados_write_op_setxattr(
    rados_write_op_t write_op, const char *name, const char *value, size_t value_len);
void rados_write_op_rmxattr(rados_write_op_t write_op, const char *name);
void rados_write_op_create(rados_write_op_t write_op, int exclusive, const char *category);
void rados_write_op_write(
    rados_write_op_t write_op, const char *buffer, size_t len, uint64_t offset);
void rados_write_op_write_full(rados_write_op_t write_op, const char *buffer, size_t len);
void rados_write_op_writesame(
    rados_write_op_t write_op, const char *buffer, size_t data_len, size_t write_len,
    uint64_t offset);
void rados_write_op_append(rados_write_op_t write_op, const char *buffer, size_t len);
void rados_write_op_remove(rados_write_op_t write_op);
void rados_write_op_truncate(rados_write_op_t write_op, uint64_t offset);
void rados_write_op_zero(rados_write_op_t write_op, uint64_t offset, uint64_t len);
void rados_write_op_exec(
    rados_write_op_t write_op, const char *cls, const char *method, const char *in_buf,
    size_t in_len, int *prval);
void rados_write_op_set_alloc_hint(
    rados_write_op_t write_op, uint64_t expected_object_size, uint64_t expected_write_size);
void rados_write_op_set_alloc_hint2(
    rados_write_op_t write_op, uint64_t expected_object_size, uint64_t expected_write_size,
    uint32_t flags);
int rados_write_op_operate(
    rados_write_op_t write_op, rados_ioctx_t io, const char *oid, time_t *mtime, int flags);
int rados_write_op_operate2(
    rados_write_op_t write_op, rados_ioctx_t io, const char *oid, struct timespec *mtime,
    int flags);
int rados_aio_write_op_operate(
    rados_write_op_t write_op, rados_ioctx_t io, rados_completion_t completion, const char *oid,
    time_t *mtime, int flags);
int rados_aio_write_op_operate2(
    rados_write_op_t write_op, rados_ioctx_t io, rados_completion_t completion, const char *oid,
    struct timespec *mtime, int flags);  // since 18
rados_read_op_t rados_create_read_op(void);
void rados_release_read_op(rados_read_op_t read_op);
void rados_read_op_set_flags(rados_read_op_t read_op, int flags);
void rados_read_op_assert_exists(rados_read_op_t read_op);
void rados_read_op_assert_version(rados_read_op_t read_op, uint64_t ver);
void rados_read_op_cmpext(
    rados_read_op_t read_op, const char *cmp_buf, size_t cmp_len, uint64_t off, int *prval);
void rados_read_op_cmpxattr(
    rados_read_op_t read_op, const char *name, uint8_t comparison_operator, const char *value,
    size_t value_len);
void rados_read_op_getxattrs(rados_read_op_t read_op, rados_xattrs_iter_t *iter, int *prval);
void rados_read_op_stat(rados_read_op_t read_op, uint64_t *psize, time_t *pmtime, int *prval);
void rados_read_op_stat2(
    rados_read_op_t read_op, uint64_t *psize, struct timespec *pmtime, int *prval);  // since 18
void rados_read_op_read(
    rados_read_op_t read_op, uint64_t offset, size_t len, char *buffer, size_t *bytes_read,
    int *prval);
void rados_read_op_checksum(
    rados_read_op_t read_op, rados_checksum_type_t type, const char *init_value,
    size_t init_value_len, uint64_t offset, size_t len, size_t chunk_size, char *pchecksum,
    size_t checksum_len, int *prval);
void rados_read_op_exec(
    rados_read_op_t read_op, const char *cls, const char *method, const char *in_buf,
    size_t in_len, char **out_buf, size_t *out_len, int *prval);
void rados_read_op_exec_user_buf(
    rados_read_op_t read_op, const char *cls, const char *method, const char *in_buf,
    size_t in_len, char *out_buf, size_t out_len, size_t *used_len, int *prval);
int rados_read_op_operate(rados_read_op_t read_op, rados_ioctx_t io, const char *oid, int flags);
int rados_aio_read_op_operate(
    rados_read_op_t read_op, rados_ioctx_t io, rados_completion_t completion, const char *oid,
    int flags);
