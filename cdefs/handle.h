/*
 * The gate in front of every handle of librados and librbd; see handle.c.
 *
 * Where a declaration in this directory takes a rados_t, rados_ioctx_t or rbd_image_t, Python
 * passes a struct rbdcffi_handle; the wrapper that build_ffi.py generates around the function
 * lets the call in, counts it and passes the real handle on.
 */

#define RBDCFFI_CLUSTER ...
#define RBDCFFI_IOCTX ...
#define RBDCFFI_IMAGE ...

#define RBDCFFI_REFUSED ...
#define RBDCFFI_CLOSED ...
#define RBDCFFI_FORKED ...
#define RBDCFFI_WRONG_KIND ...
#define RBDCFFI_ABSENT ...
#define RBDCFFI_REENTERED ...

struct rbdcffi_handle {
    int kind;
    ...;
};

void rbdcffi_handle_init(struct rbdcffi_handle *handle, int kind, void *raw);
int rbdcffi_handle_state(struct rbdcffi_handle *handle);
int rbdcffi_handle_hold(struct rbdcffi_handle *handle);
void rbdcffi_handle_drop(struct rbdcffi_handle *handle);
int rbdcffi_handle_enter(struct rbdcffi_handle *handle);
void rbdcffi_handle_leave(struct rbdcffi_handle *handle);
int rbdcffi_handle_shut(struct rbdcffi_handle *handle);
int rbdcffi_handle_drained(struct rbdcffi_handle *handle, int milliseconds);
int rbdcffi_handle_entered(struct rbdcffi_handle *handle);
int rbdcffi_thread_entered(void);
void rbdcffi_thread_enters(struct rbdcffi_handle *handle);
void rbdcffi_thread_leaves(struct rbdcffi_handle *handle);
int64_t rbdcffi_handle_uses(struct rbdcffi_handle *handle);

/* Which of the functions newer than the oldest release the loaded libraries have. */
struct rbdcffi_symbol {
    const char *name;
    const char *since;
    int present;
    ...;
};
const struct rbdcffi_symbol *rbdcffi_symbols(void);
int rbdcffi_symbol_count(void);
