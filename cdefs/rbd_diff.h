/* Changed extents. */

#define RBD_DIFF_ITERATE_FLAG_INCLUDE_PARENT ...
#define RBD_DIFF_ITERATE_FLAG_WHOLE_OBJECT ...

int rbd_diff_iterate(
    rbd_image_t image, const char *fromsnapname, uint64_t ofs, uint64_t len,
    int (*cb)(uint64_t, size_t, int, void *), void *arg);
int rbd_diff_iterate2(
    rbd_image_t image, const char *fromsnapname, uint64_t ofs, uint64_t len,
    uint8_t include_parent, uint8_t whole_object, int (*cb)(uint64_t, size_t, int, void *),
    void *arg);
int rbd_diff_iterate3(
    rbd_image_t image, uint64_t from_snap_id, uint64_t ofs, uint64_t len, uint32_t flags,
    int (*cb)(uint64_t, size_t, int, void *), void *arg);  // since 18
