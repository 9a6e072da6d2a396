/* Listing the objects of a pool; cursors and slices. */

typedef void *rados_list_ctx_t;
typedef void *rados_object_list_cursor;

typedef struct {
    size_t oid_length;
    char *oid;
    size_t nspace_length;
    char *nspace;
    size_t locator_length;
    char *locator;
    ...;
} rados_object_list_item;

int rados_nobjects_list_open(rados_ioctx_t io, rados_list_ctx_t *ctx);
uint32_t rados_nobjects_list_get_pg_hash_position(rados_list_ctx_t ctx);
uint32_t rados_nobjects_list_seek(rados_list_ctx_t ctx, uint32_t pos);
uint32_t rados_nobjects_list_seek_cursor(rados_list_ctx_t ctx, rados_object_list_cursor cursor);
int rados_nobjects_list_get_cursor(rados_list_ctx_t ctx, rados_object_list_cursor *cursor);
int rados_nobjects_list_next(
    rados_list_ctx_t ctx, const char **entry, const char **key, const char **nspace);
int rados_nobjects_list_next2(
    rados_list_ctx_t ctx, const char **entry, const char **key, const char **nspace,
    size_t *entry_size, size_t *key_size, size_t *nspace_size);
void rados_nobjects_list_close(rados_list_ctx_t ctx);
rados_object_list_cursor rados_object_list_begin(rados_ioctx_t io);
rados_object_list_cursor rados_object_list_end(rados_ioctx_t io);
int rados_object_list_is_end(rados_ioctx_t io, rados_object_list_cursor cur);
void rados_object_list_cursor_free(rados_ioctx_t io, rados_object_list_cursor cur);
int rados_object_list_cursor_cmp(
    rados_ioctx_t io, rados_object_list_cursor lhs, rados_object_list_cursor rhs);
int rados_object_list(
    rados_ioctx_t io, const rados_object_list_cursor start,
    const rados_object_list_cursor finish, const size_t result_size, const char *filter_buf,
    const size_t filter_buf_len, rados_object_list_item *results,
    rados_object_list_cursor *next);
void rados_object_list_free(const size_t result_size, rados_object_list_item *results);
void rados_object_list_slice(
    rados_ioctx_t io, const rados_object_list_cursor start,
    const rados_object_list_cursor finish, const size_t n, const size_t m,
    rados_object_list_cursor *split_start, rados_object_list_cursor *split_finish);
int rados_objects_list_open(rados_ioctx_t io, rados_list_ctx_t *ctx);
uint32_t rados_objects_list_get_pg_hash_position(rados_list_ctx_t ctx);
uint32_t rados_objects_list_seek(rados_list_ctx_t ctx, uint32_t pos);
int rados_objects_list_next(rados_list_ctx_t ctx, const char **entry, const char **key);
void rados_objects_list_close(rados_list_ctx_t ctx);
