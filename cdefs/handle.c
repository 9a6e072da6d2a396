/*
 * The gate: the one place that decides whether a call may use a C handle.
 *
 * Every call enters before it touches the handle and leaves when it is done; closing bars the
 * entrance and waits for the last one out. The count lives in C so that the generated wrappers
 * use it on both sides of the library call without Python (and without a GIL) in between: no
 * Python code path can forget it, and it costs two atomic operations.
 *
 * `uses` holds the number of calls inside and two marks. Entering adds first and looks second,
 * closing marks first and counts second; both are sequentially consistent, so either the call
 * sees the mark and turns back, or the closer sees the call and waits.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define RBDCFFI_CLUSTER 1
#define RBDCFFI_IOCTX 2
#define RBDCFFI_IMAGE 3

/* Returned in place of a result; below every -errno. The kind is added in bits 4 and 5. */
#define RBDCFFI_REFUSED (-0x10000)
#define RBDCFFI_CLOSED 1
#define RBDCFFI_FORKED 2
#define RBDCFFI_WRONG_KIND 3
#define RBDCFFI_ABSENT 4
#define RBDCFFI_REENTERED 5
/* Also no result: see values.c. */
#define RBDCFFI_HUGE INT64_MIN
#define REFUSE(kind, why) (RBDCFFI_REFUSED - ((kind) << 4) - (why))

#define SHUT (INT64_C(1) << 62)
#define PAUSED (INT64_C(1) << 61)
#define COUNT(uses) ((uses) & (PAUSED - 1))

/*
 * The memory belongs to a Python object (ffi.new): it goes when nothing refers to that any more,
 * after all finalizers have run. (ffi.gc would free it among the finalizers of a garbage cycle,
 * in any order, and one that runs later may still use the handle.) A handle that is open, or has
 * calls inside, is referred to by rbdcffi/_handle.py.
 */
struct rbdcffi_handle {
    void *raw;
    int64_t uses;
    unsigned process;
    int kind;
};

/*
 * One lock and one condition for all handles, touched only while some handle is being closed:
 * whoever leaves last must not touch the handle after its count has gone to zero, because the
 * closer frees it then.
 */
static pthread_mutex_t drain_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t drain_done = PTHREAD_COND_INITIALIZER;

/* Counts forks; a handle remembers the value of the process that made it. */
static unsigned this_process = 1;

static void rbdcffi_after_fork(void)
{
    this_process++;
    /* another thread may have held them when the process was copied */
    pthread_mutex_init(&drain_lock, NULL);
    pthread_cond_init(&drain_done, NULL);
}

__attribute__((constructor)) static void rbdcffi_watch_forks(void)
{
    pthread_atfork(NULL, NULL, rbdcffi_after_fork);
}

/*
 * The handles this thread is inside of, so that closing one from a callback of its own call is
 * refused instead of waiting for itself. A multiset, not a stack: greenlets leave in any order.
 * Calls nested deeper than the table are not tracked.
 */
#define MAX_NESTED 64
static __thread struct rbdcffi_handle *entered[MAX_NESTED];
static __thread int entered_count;

static inline void thread_enters(struct rbdcffi_handle *handle)
{
    if (entered_count < MAX_NESTED)
        entered[entered_count] = handle;
    entered_count++;
}

static inline void thread_leaves(struct rbdcffi_handle *handle)
{
    int i, last = --entered_count;

    if (last >= MAX_NESTED)
        return;
    for (i = last; i > 0 && entered[i] != handle; i--)
        ;
    entered[i] = entered[last];
}

static void handle_drop(struct rbdcffi_handle *handle)
{
    int64_t left = __atomic_sub_fetch(&handle->uses, 1, __ATOMIC_SEQ_CST);

    if (((left & SHUT) && COUNT(left) == 0) || ((left & PAUSED) && COUNT(left) <= 1)) {
        pthread_mutex_lock(&drain_lock);
        pthread_cond_broadcast(&drain_done);
        pthread_mutex_unlock(&drain_lock);
    }
}

/* Whether this thread is inside a call on the handle: then it runs one of that call's callbacks. */
int rbdcffi_handle_entered(struct rbdcffi_handle *handle)
{
    int i;

    for (i = 0; i < entered_count && i < MAX_NESTED; i++)
        if (entered[i] == handle)
            return 1;
    return 0;
}

/* 0 and the handle's count raised, or why not. Waits while a call wants the handle for itself. */
static int handle_hold(struct rbdcffi_handle *handle, int kind)
{
    int64_t uses;

    if (handle == NULL)
        return REFUSE(kind, RBDCFFI_CLOSED);
    if (handle->kind != kind)
        return REFUSE(kind, RBDCFFI_WRONG_KIND);
    if (handle->process != this_process)
        return REFUSE(kind, RBDCFFI_FORKED);
    for (;;) {
        uses = __atomic_add_fetch(&handle->uses, 1, __ATOMIC_SEQ_CST);
        if (uses & SHUT) {
            handle_drop(handle);
            return REFUSE(kind, RBDCFFI_CLOSED);
        }
        /* the call that waits for this thread to leave must not be waited for */
        if (!(uses & PAUSED) || rbdcffi_handle_entered(handle))
            return 0;
        handle_drop(handle);
        pthread_mutex_lock(&drain_lock);
        while ((__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST) & (PAUSED | SHUT)) == PAUSED)
            pthread_cond_wait(&drain_done, &drain_lock);
        pthread_mutex_unlock(&drain_lock);
    }
}

static inline int handle_enter(struct rbdcffi_handle *handle, int kind)
{
    int refused = handle_hold(handle, kind);

    if (!refused)
        thread_enters(handle);
    return refused;
}

static inline void handle_leave(struct rbdcffi_handle *handle)
{
    thread_leaves(handle);
    handle_drop(handle);
}

/*
 * For the calls that librbd itself does not protect against others on the same image: waits until
 * nobody is inside, and keeps newcomers waiting. Refused inside of a callback of another call.
 */
static int handle_enter_alone(struct rbdcffi_handle *handle, int kind)
{
    int refused;

    if (handle != NULL && rbdcffi_handle_entered(handle))
        return REFUSE(kind, RBDCFFI_REENTERED);
    for (;;) {
        refused = handle_enter(handle, kind);
        if (refused)
            return refused;
        /* the mark is the right to be alone; whoever else wants that waits in handle_enter */
        if (!(__atomic_fetch_or(&handle->uses, PAUSED, __ATOMIC_SEQ_CST) & PAUSED))
            break;
        handle_leave(handle);
    }
    pthread_mutex_lock(&drain_lock);
    while (COUNT(__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST)) > 1)
        pthread_cond_wait(&drain_done, &drain_lock);
    pthread_mutex_unlock(&drain_lock);
    return 0;
}

static void handle_leave_alone(struct rbdcffi_handle *handle)
{
    __atomic_and_fetch(&handle->uses, ~PAUSED, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&drain_lock);
    pthread_cond_broadcast(&drain_done);
    pthread_mutex_unlock(&drain_lock);
    handle_leave(handle);
}

/* For the functions that destroy a handle: the real one, once, when it is shut and nobody is in. */
static void *handle_take(struct rbdcffi_handle *handle)
{
    int64_t uses;

    if (handle == NULL || handle->process != this_process)
        return NULL;
    uses = __atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST);
    if (!(uses & SHUT) || COUNT(uses) != 0)
        return NULL;
    return __atomic_exchange_n(&handle->raw, NULL, __ATOMIC_SEQ_CST);
}

void rbdcffi_handle_init(struct rbdcffi_handle *handle, int kind, void *raw)
{
    handle->raw = raw;
    handle->uses = 0;
    handle->process = this_process;
    handle->kind = kind;
}

/* 0 while the handle may be used, else what a call would be told. */
int rbdcffi_handle_state(struct rbdcffi_handle *handle)
{
    if (handle == NULL)
        return REFUSE(0, RBDCFFI_CLOSED);
    if (handle->process != this_process)
        return REFUSE(handle->kind, RBDCFFI_FORKED);
    if (__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST) & SHUT)
        return REFUSE(handle->kind, RBDCFFI_CLOSED);
    return 0;
}

/* Keeps the handle open across several calls; pairs with rbdcffi_handle_drop, on any thread. */
int rbdcffi_handle_hold(struct rbdcffi_handle *handle)
{
    return handle_hold(handle, handle == NULL ? 0 : handle->kind);
}

void rbdcffi_handle_drop(struct rbdcffi_handle *handle)
{
    handle_drop(handle);
}

/* The same for the calling thread, which is then as if in a call: it cannot close the handle. */
int rbdcffi_handle_enter(struct rbdcffi_handle *handle)
{
    return handle_enter(handle, handle == NULL ? 0 : handle->kind);
}

void rbdcffi_handle_leave(struct rbdcffi_handle *handle)
{
    handle_leave(handle);
}

/* Bars the entrance. 1 for the first to do so, 0 after that. */
int rbdcffi_handle_shut(struct rbdcffi_handle *handle)
{
    int first = !(__atomic_fetch_or(&handle->uses, SHUT, __ATOMIC_SEQ_CST) & SHUT);

    /* those who wait to get in are refused now */
    pthread_mutex_lock(&drain_lock);
    pthread_cond_broadcast(&drain_done);
    pthread_mutex_unlock(&drain_lock);
    return first;
}

/* Waits until nobody is inside a shut handle: 1, or 0 when the time is over. */
int rbdcffi_handle_drained(struct rbdcffi_handle *handle, int milliseconds)
{
    struct timespec until;
    int timed_out = 0;

    if (COUNT(__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST)) == 0)
        return 1;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (milliseconds % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&drain_lock);
    while (COUNT(__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST)) != 0 && !timed_out)
        timed_out = pthread_cond_timedwait(&drain_done, &drain_lock, &until) == ETIMEDOUT;
    pthread_mutex_unlock(&drain_lock);
    return COUNT(__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST)) == 0;
}

/* Whether this thread is inside any call. */
int rbdcffi_thread_entered(void)
{
    return entered_count > 0;
}

/*
 * For callbacks that the library makes on a thread of its own: while one runs, that thread counts
 * as inside of the call that waits for it.
 */
void rbdcffi_thread_enters(struct rbdcffi_handle *handle)
{
    thread_enters(handle);
}

void rbdcffi_thread_leaves(struct rbdcffi_handle *handle)
{
    thread_leaves(handle);
}

/* How many calls are inside. */
int64_t rbdcffi_handle_uses(struct rbdcffi_handle *handle)
{
    return COUNT(__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST));
}
