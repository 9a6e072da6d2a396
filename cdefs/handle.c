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
#define RBDCFFI_NEVER_OPENED 6
#define RBDCFFI_BUSY 7
#define RBDCFFI_IN_HOOK 8
#define RBDCFFI_UNWRITTEN 9
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
    /* the gate of its cluster */
    struct rbdcffi_handle *family;
    unsigned process;
    int kind;
    /* whose turn it is: how many share it, -1 for one alone; and who waits for it, in order */
    int turn;
    struct turn_waiter *waiting;
    /* of an image that must be quiet before it is closed: see handle_quiet */
    rados_ioctx_t callbacks;
    /* of an image: whether something was written since it was flushed; see closing.c */
    int unflushed;
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
static __thread struct {
    struct rbdcffi_handle *handle;
    /* whether the library calls back for the handle now */
    int calls_back;
} entered[MAX_NESTED];
static __thread int entered_count;

static inline void thread_enters(struct rbdcffi_handle *handle, int calls_back)
{
    if (entered_count < MAX_NESTED) {
        entered[entered_count].handle = handle;
        entered[entered_count].calls_back = calls_back;
    }
    entered_count++;
}

static inline void thread_leaves(struct rbdcffi_handle *handle, int calls_back)
{
    int i, last = --entered_count;

    if (last >= MAX_NESTED)
        return;
    for (i = last;
         i > 0 && (entered[i].handle != handle || entered[i].calls_back != calls_back); i--)
        ;
    entered[i] = entered[last];
}

/* Whether this thread is one of the library's, which calls back. */
static __thread int thread_is_lent;

/* Whether it runs a progress callback of Ceph 14, which has locks of the image at that time: on the
 * caller's thread, too. */
static __thread int thread_is_locked;

static void handle_drop(struct rbdcffi_handle *handle)
{
    int64_t left = __atomic_sub_fetch(&handle->uses, 1, __ATOMIC_SEQ_CST);

    if (((left & SHUT) && COUNT(left) == 0) || ((left & PAUSED) && COUNT(left) <= 1)) {
        pthread_mutex_lock(&drain_lock);
        pthread_cond_broadcast(&drain_done);
        pthread_mutex_unlock(&drain_lock);
    }
}

/* In how many calls on the handle this thread is: it runs a callback of each but the last one. */
int rbdcffi_handle_entered(struct rbdcffi_handle *handle)
{
    int i, count = 0;

    for (i = 0; i < entered_count && i < MAX_NESTED; i++)
        count += entered[i].handle == handle;
    return count;
}

/* 0 and the handle's count raised, or why not. Waits while a call wants the handle for itself. */
static int handle_hold(struct rbdcffi_handle *handle, int kind)
{
    int64_t uses;

    /* an object whose constructor did not run, or not to its end */
    if (handle == NULL)
        return REFUSE(kind, RBDCFFI_NEVER_OPENED);
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
        thread_enters(handle, 0);
    return refused;
}

/* Whether this thread runs a callback for the handle, or for any of its family, and must not wait. */
static int thread_must_not_wait(struct rbdcffi_handle *handle, int family)
{
    int i, found = 0;

    if (handle == NULL || !(thread_is_lent || thread_is_locked))
        return 0;
    for (i = 0; i < entered_count && i < MAX_NESTED; i++)
        if (entered[i].calls_back)
            found |= entered[i].handle == handle
                     || (family && entered[i].handle->family == handle->family);
    return found;
}

/*
 * For calls on an image that may have to wait: refused on a thread of the library that calls back
 * for another call on the image, since what they would wait for may need that thread, or its locks.
 */
static inline int handle_enter_waiting(struct rbdcffi_handle *handle, int kind)
{
    if (thread_must_not_wait(handle, 0))
        return REFUSE(kind, RBDCFFI_REENTERED);
    return handle_enter(handle, kind);
}

/*
 * For calls of librbd that open images: on such a thread they would wait for themselves, whichever
 * image of the cluster the thread calls back for.
 */
static inline int handle_enter_opening(struct rbdcffi_handle *handle, int kind)
{
    if (thread_must_not_wait(handle, 1))
        return REFUSE(kind, RBDCFFI_REENTERED);
    return handle_enter(handle, kind);
}

static inline void handle_leave(struct rbdcffi_handle *handle)
{
    thread_leaves(handle, 0);
    handle_drop(handle);
}

static void deadline_in(struct timespec *until, int milliseconds)
{
    clock_gettime(CLOCK_REALTIME, until);
    until->tv_sec += milliseconds / 1000;
    until->tv_nsec += (milliseconds % 1000) * 1000000L;
    if (until->tv_nsec >= 1000000000L) {
        until->tv_sec++;
        until->tv_nsec -= 1000000000L;
    }
}

/* The image whose quiesce hook this thread runs: a snapshot waits until it returns. */
static __thread struct rbdcffi_handle *in_hook;

void rbdcffi_thread_in_hook(struct rbdcffi_handle *image)
{
    in_hook = image;
}

int rbdcffi_thread_is_in_hook(void)
{
    return in_hook != NULL;
}

static int alone_patience = 30000;

/* Sets how many milliseconds a call that must be alone waits for the others; returns what it was. */
int rbdcffi_alone_patience(int milliseconds)
{
    return __atomic_exchange_n(&alone_patience, milliseconds, __ATOMIC_SEQ_CST);
}

static void handle_leave_alone(struct rbdcffi_handle *handle);

/*
 * For the calls that librbd itself does not protect against others on the same image: waits until
 * nobody is inside, and keeps newcomers waiting. Refused inside of a callback of another call, and
 * when the others do not end: a call that hangs must not make all others hang.
 */
static int handle_enter_alone(struct rbdcffi_handle *handle, int kind)
{
    struct timespec until;
    int64_t inside;
    int refused, timed_out = 0;

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
    /* a call that makes the snapshot would not end before the hook */
    deadline_in(&until, in_hook == handle ? 0 : __atomic_load_n(&alone_patience, __ATOMIC_SEQ_CST));
    pthread_mutex_lock(&drain_lock);
    while ((inside = COUNT(__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST))) > 1 && !timed_out)
        timed_out = pthread_cond_timedwait(&drain_done, &drain_lock, &until) == ETIMEDOUT;
    pthread_mutex_unlock(&drain_lock);
    /* not counted anew: newcomers are counted for a moment, before they see that they must wait */
    if (inside > 1) {
        handle_leave_alone(handle);
        return REFUSE(kind, in_hook == handle ? RBDCFFI_IN_HOOK : RBDCFFI_BUSY);
    }
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

/* One of those who wait for their turn; on the stack of the one. */
struct turn_waiter {
    struct turn_waiter *next;
};

static int turn_patience = 300000;

/* Sets how many milliseconds a call waits for its turn; returns what it was. */
int rbdcffi_turn_patience(int milliseconds)
{
    return __atomic_exchange_n(&turn_patience, milliseconds, __ATOMIC_SEQ_CST);
}

/*
 * For the calls that librbd does not protect against each other, though others may run beside them:
 * those that change what an image is made of take the turn for themselves, the rest share it. First
 * come, first served. The caller is inside of the handle already.
 *
 * Refused when the others do not end, and to those for whom the others may be waiting: a callback
 * of another call, if it had to wait, and a quiesce hook. (Not a pthread_rwlock_t: a binary that was
 * linked with today's C library would not load with those before 2.34.)
 */
static int handle_take_turn(struct rbdcffi_handle *handle, int kind, int shared)
{
    struct turn_waiter **link, self = {NULL};
    struct timespec until;
    int taken, timed_out = 0, why = RBDCFFI_BUSY;

    if (in_hook == handle)
        return REFUSE(kind, RBDCFFI_IN_HOOK);
    deadline_in(&until, __atomic_load_n(&turn_patience, __ATOMIC_SEQ_CST));
    pthread_mutex_lock(&drain_lock);
    for (link = &handle->waiting; *link != NULL; link = &(*link)->next)
        ;
    *link = &self;
    while (!(taken = handle->waiting == &self && (shared ? handle->turn >= 0 : handle->turn == 0))
           && !timed_out) {
        if (rbdcffi_handle_entered(handle) > 1) {
            why = RBDCFFI_REENTERED;
            break;
        }
        timed_out = pthread_cond_timedwait(&drain_done, &drain_lock, &until) == ETIMEDOUT;
    }
    for (link = &handle->waiting; *link != &self; link = &(*link)->next)
        ;
    *link = self.next;
    if (taken)
        handle->turn += shared ? 1 : -1;
    /* the next one may share the turn, or need not wait for this one any more */
    pthread_cond_broadcast(&drain_done);
    pthread_mutex_unlock(&drain_lock);
    return taken ? 0 : REFUSE(kind, why);
}

static void handle_leave_turn(struct rbdcffi_handle *handle)
{
    pthread_mutex_lock(&drain_lock);
    handle->turn = handle->turn < 0 ? 0 : handle->turn - 1;
    pthread_cond_broadcast(&drain_done);
    pthread_mutex_unlock(&drain_lock);
}

/*
 * The function of librbd that says that an image is open, or shows another snapshot, uses the image
 * once more after it has said so. To close the image does not wait for that function where closing
 * needs no answer from the cluster: for one that was opened read-only, of a snapshot. On a busy
 * machine the function then finds freed memory, and the process ends.
 *
 * librados calls such functions one after the other, and so its next callback comes when that one
 * has returned. Flushing an I/O context that has nothing to flush is a callback that needs no
 * cluster; the context is one of the image's own, whatever is written to others.
 *
 * Progress callbacks may run on that thread, too, and one of them may wait for who closes the image:
 * so the wait has a limit, and on that thread there is none.
 */
int rbdcffi_close_quietly(struct rbdcffi_handle *image, struct rbdcffi_handle *ioctx)
{
    rados_ioctx_t raw;
    int result = handle_enter(ioctx, RBDCFFI_IOCTX);

    if (result < 0)
        return result;
    raw = ioctx->raw;
    result = rados_ioctx_create2(
        rados_ioctx_get_cluster(raw), rados_ioctx_get_id(raw), &image->callbacks);
    handle_leave(ioctx);
    return result;
}

#define QUIET_MILLISECONDS 1000

/* Who waits for librados's next callback; the last of the two who know it frees it. */
struct quiet {
    int called;
    int left;
};

static void quiet_called(rados_completion_t completion, void *arg)
{
    struct quiet *quiet = arg;
    int left;

    (void)completion;
    pthread_mutex_lock(&drain_lock);
    left = quiet->left;
    quiet->called = 1;
    pthread_cond_broadcast(&drain_done);
    pthread_mutex_unlock(&drain_lock);
    if (left)
        free(quiet);
}

static void quiet_wait(struct quiet *quiet)
{
    struct timespec until;
    int called, timed_out = 0;

    deadline_in(&until, QUIET_MILLISECONDS);
    pthread_mutex_lock(&drain_lock);
    while (!(called = quiet->called) && !timed_out)
        timed_out = pthread_cond_timedwait(&drain_done, &drain_lock, &until) == ETIMEDOUT;
    quiet->left = 1;
    pthread_mutex_unlock(&drain_lock);
    if (called)
        free(quiet);
}

static void handle_quiet(struct rbdcffi_handle *image)
{
    rados_ioctx_t callbacks = __atomic_exchange_n(&image->callbacks, NULL, __ATOMIC_SEQ_CST);
    rados_completion_t completion;
    struct quiet *quiet;

    if (callbacks == NULL)
        return;
    quiet = thread_is_lent ? NULL : calloc(1, sizeof *quiet);
    if (quiet != NULL) {
        if (rados_aio_create_completion(quiet, quiet_called, NULL, &completion) < 0)
            free(quiet);
        else {
            if (rados_aio_flush_async(callbacks, completion) < 0)
                free(quiet);
            else
                quiet_wait(quiet);
            rados_aio_release(completion);
        }
    }
    rados_ioctx_destroy(callbacks);
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
    handle_quiet(handle);
    return __atomic_exchange_n(&handle->raw, NULL, __ATOMIC_SEQ_CST);
}

void rbdcffi_handle_init(struct rbdcffi_handle *handle, int kind, void *raw)
{
    handle->raw = raw;
    handle->uses = 0;
    handle->family = handle;
    handle->process = this_process;
    handle->kind = kind;
    handle->turn = 0;
    handle->waiting = NULL;
    handle->callbacks = NULL;
    handle->unflushed = 0;
}

void rbdcffi_handle_joins(struct rbdcffi_handle *handle, struct rbdcffi_handle *parent)
{
    handle->family = parent->family;
}

/*
 * Puts another handle behind the gate once nobody is inside; the one that was there is behind the
 * other gate then.
 */
int rbdcffi_handle_swap(struct rbdcffi_handle *handle, struct rbdcffi_handle *other)
{
    int refused = handle_enter_alone(handle, handle->kind);
    void *raw;

    if (refused)
        return refused;
    raw = handle->raw;
    handle->raw = other->raw;
    other->raw = raw;
    handle_leave_alone(handle);
    return 0;
}

/* 0 while the handle may be used, else what a call would be told. */
int rbdcffi_handle_state(struct rbdcffi_handle *handle)
{
    if (handle == NULL)
        return REFUSE(0, RBDCFFI_NEVER_OPENED);
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

/*
 * The same for one thread, in a form that Ctrl-C cannot come into the middle of: Python ends a stay
 * without a bytecode of its own (rbdcffi/_handle.py, `stay`), whether it has begun or not.
 */
struct rbdcffi_stay {
    struct rbdcffi_handle *held;
    struct rbdcffi_handle *entered;
    int calls_back;
    /* thread_is_locked, as it was */
    int locked;
};

int rbdcffi_stay_begin(struct rbdcffi_stay *stay, struct rbdcffi_handle *handle)
{
    int refused = handle_hold(handle, handle == NULL ? 0 : handle->kind);

    if (!refused)
        stay->held = handle;
    return refused;
}

/*
 * For callbacks that the library makes on a thread of its own: while one runs, that thread counts
 * as inside of the call that waits for it.
 */
void rbdcffi_stay_inside(struct rbdcffi_stay *stay, struct rbdcffi_handle *handle)
{
    int major, minor, extra;

    rbd_version(&major, &minor, &extra);
    thread_is_lent = thread_is_lent || entered_count == 0;
    stay->locked = thread_is_locked;
    thread_is_locked = minor < 13;
    thread_enters(handle, 1);
    stay->entered = handle;
    stay->calls_back = 1;
}

/* And the thread is as if in a call: it cannot close the handle. */
int rbdcffi_stay_enter(struct rbdcffi_stay *stay, struct rbdcffi_handle *handle)
{
    int refused = rbdcffi_stay_begin(stay, handle);

    if (!refused) {
        thread_enters(handle, 0);
        stay->entered = handle;
        stay->locked = thread_is_locked;
    }
    return refused;
}

void rbdcffi_stay_end(struct rbdcffi_stay *stay)
{
    if (stay->entered != NULL) {
        thread_leaves(stay->entered, stay->calls_back);
        thread_is_lent = thread_is_lent && entered_count > 0;
        thread_is_locked = stay->locked;
    }
    if (stay->held != NULL)
        handle_drop(stay->held);
    stay->entered = stay->held = NULL;
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
    deadline_in(&until, milliseconds);
    pthread_mutex_lock(&drain_lock);
    while (COUNT(__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST)) != 0 && !timed_out)
        timed_out = pthread_cond_timedwait(&drain_done, &drain_lock, &until) == ETIMEDOUT;
    pthread_mutex_unlock(&drain_lock);
    return COUNT(__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST)) == 0;
}

/* Whether a function that destroys the handle has done so. */
int rbdcffi_handle_destroyed(struct rbdcffi_handle *handle)
{
    return __atomic_load_n(&handle->raw, __ATOMIC_SEQ_CST) == NULL;
}

/* Whether this thread is inside any call. */
int rbdcffi_thread_entered(void)
{
    return entered_count > 0;
}

/* Whether it is one of the library's that calls back. */
int rbdcffi_thread_is_lent(void)
{
    return thread_is_lent;
}

/* How many calls are inside. */
int64_t rbdcffi_handle_uses(struct rbdcffi_handle *handle)
{
    return COUNT(__atomic_load_n(&handle->uses, __ATOMIC_SEQ_CST));
}
