/* Extended attributes of objects. */

typedef void *rados_xattrs_iter_t;

int rados_getxattr(rados_ioctx_t io, const char *o, const char *name, char *buf, size_t len);
int rados_setxattr(rados_ioctx_t io, const char *o, const char *name, const char *buf, size_t len);
int rados_rmxattr(rados_ioctx_t io, const char *o, const char *name);
int rados_getxattrs(rados_ioctx_t io, const char *oid, rados_xattrs_iter_t *iter);
int rados_getxattrs_next(
    rados_xattrs_iter_t iter, const char **name, const char **val, size_t *len);
void rados_getxattrs_end(rados_xattrs_iter_t iter);
