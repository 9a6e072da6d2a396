/* Types that all topics use. */

typedef void *rados_t;
typedef void *rados_ioctx_t;
typedef void *rbd_image_t;

typedef int... time_t;

struct timespec {
    time_t tv_sec;
    long tv_nsec;
    ...;
};

struct timeval {
    time_t tv_sec;
    long tv_usec;
    ...;
};

struct iovec {
    void *iov_base;
    size_t iov_len;
    ...;
};
