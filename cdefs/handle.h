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
#define RBDCFFI_NEVER_OPENED ...
#define RBDCFFI_BUSY ...
#define RBDCFFI_IN_HOOK ...
#define RBDCFFI_UNWRITTEN ...

struct rbdcffi_handle {
    int kind;
    ...;
};

void rbdcffi_handle_init(struct rbdcffi_handle *handle, int kind, void *raw);
void rbdcffi_handle_joins(struct rbdcffi_handle *handle, struct rbdcffi_handle *parent);
int rbdcffi_alone_patience(int milliseconds);
int rbdcffi_turn_patience(int milliseconds);
void rbdcffi_thread_in_hook(struct rbdcffi_handle *image);
int rbdcffi_thread_is_in_hook(void);
int rbdcffi_handle_swap(struct rbdcffi_handle *handle, struct rbdcffi_handle *other);
int rbdcffi_close_quietly(struct rbdcffi_handle *image, struct rbdcffi_handle *ioctx);
int rbdcffi_handle_state(struct rbdcffi_handle *handle);
int rbdcffi_handle_hold(struct rbdcffi_handle *handle);
void rbdcffi_handle_drop(struct rbdcffi_handle *handle);
struct rbdcffi_stay {
    ...;
};
int rbdcffi_stay_begin(struct rbdcffi_stay *stay, struct rbdcffi_handle *handle);
void rbdcffi_stay_inside(struct rbdcffi_stay *stay, struct rbdcffi_handle *handle);
int rbdcffi_stay_enter(struct rbdcffi_stay *stay, struct rbdcffi_handle *handle);
void rbdcffi_stay_end(struct rbdcffi_stay *stay);
int rbdcffi_handle_shut(struct rbdcffi_handle *handle);
int rbdcffi_handle_drained(struct rbdcffi_handle *handle, int milliseconds);
int rbdcffi_handle_entered(struct rbdcffi_handle *handle);
int rbdcffi_thread_entered(void);
int rbdcffi_thread_is_lent(void);
int64_t rbdcffi_handle_uses(struct rbdcffi_handle *handle);
int rbdcffi_handle_destroyed(struct rbdcffi_handle *handle);

/* Which of the functions newer than the oldest release the loaded libraries have. */
struct rbdcffi_symbol {
    const char *name;
    const char *since;
    int present;
    ...;
};
const struct rbdcffi_symbol *rbdcffi_symbols(void);
int rbdcffi_symbol_count(void);
