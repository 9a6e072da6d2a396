/*
 * The gate of cdefs/handle.c under threads of C: no interpreter is there, and so no GIL, that could
 * keep two of them from being in it at the same time. Made to be run with ThreadSanitizer: what is
 * behind the gates is plain memory, so whoever gets there without the gate's leave is a data race,
 * or a use after free.
 *
 * usage: gate_threads ROUNDS [SEED]; prints "ok ...", or what went wrong.
 */

#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What librados is to the gate: something to wait for that calls back on a thread of its own. */
typedef void *rados_t;
typedef void *rados_ioctx_t;
typedef void *rados_completion_t;
typedef void (*rados_callback_t)(rados_completion_t, void *);

static rados_t rados_ioctx_get_cluster(rados_ioctx_t ioctx) { return ioctx; }
static int64_t rados_ioctx_get_id(rados_ioctx_t ioctx) { (void)ioctx; return 1; }
static void rbd_version(int *major, int *minor, int *extra) { *major = 1; *minor = *extra = 16; }
static int rados_ioctx_create2(rados_t cluster, int64_t id, rados_ioctx_t *ioctx);
static int rados_aio_create_completion(
    void *arg, rados_callback_t complete, rados_callback_t safe, rados_completion_t *completion);
static int rados_aio_flush_async(rados_ioctx_t ioctx, rados_completion_t completion);
static void rados_aio_release(rados_completion_t completion);
static void rados_ioctx_destroy(rados_ioctx_t ioctx);

#include "handle.c"

static void fail(const char *text, ...)
{
    va_list arguments;

    va_start(arguments, text);
    fputs("FAILED: ", stdout);
    vprintf(text, arguments);
    puts("");
    fflush(stdout);
    _exit(1);
}

#define CHECK(condition)                                              \
    do {                                                              \
        if (!(condition))                                             \
            fail("%s, line %d: %s", __func__, __LINE__, #condition);  \
    } while (0)

/* -- chance ------------------------------------------------------------------------------------ */

static __thread uint64_t chance_state;

static unsigned chance(unsigned below)
{
    chance_state = chance_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(chance_state >> 33) % below;
}

static void dawdle(void)
{
    unsigned i = chance(8);

    while (i--)
        sched_yield();
}

/* -- a library that calls back ------------------------------------------------------------------ */

struct completion {
    rados_callback_t function;
    void *arg;
    int users;
    pthread_t thread;
};

static int contexts_open;

static int rados_ioctx_create2(rados_t cluster, int64_t id, rados_ioctx_t *ioctx)
{
    (void)cluster;
    (void)id;
    *ioctx = malloc(1);
    __atomic_add_fetch(&contexts_open, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static void rados_ioctx_destroy(rados_ioctx_t ioctx)
{
    __atomic_sub_fetch(&contexts_open, 1, __ATOMIC_SEQ_CST);
    free(ioctx);
}

static int rados_aio_create_completion(
    void *arg, rados_callback_t complete, rados_callback_t safe, rados_completion_t *completion)
{
    struct completion *made = calloc(1, sizeof *made);

    (void)safe;
    made->function = complete;
    made->arg = arg;
    made->users = 1;
    *completion = made;
    return 0;
}

static void rados_aio_release(rados_completion_t completion)
{
    struct completion *made = completion;

    if (__atomic_sub_fetch(&made->users, 1, __ATOMIC_SEQ_CST) == 0)
        free(made);
}

static void *calls_back(void *arg)
{
    struct completion *made = arg;

    made->function(made, made->arg);
    rados_aio_release(made);
    return NULL;
}

static int rados_aio_flush_async(rados_ioctx_t ioctx, rados_completion_t completion)
{
    struct completion *made = completion;
    pthread_t thread;

    (void)ioctx;
    __atomic_add_fetch(&made->users, 1, __ATOMIC_SEQ_CST);
    CHECK(pthread_create(&thread, NULL, calls_back, made) == 0);
    pthread_detach(thread);
    return 0;
}

/* -- what is behind the gates ------------------------------------------------------------------- */

#define ALIVE 0x11fe

/* Plain memory: the gate alone keeps those who read it from those who write or free it. */
struct raw {
    int alive;
    struct raw *parent;
    /* written by a call that is alone, read by the others */
    int alone;
    /* written by whose turn it is, read by those who share one */
    int turn;
};

static struct raw *new_raw(struct raw *parent)
{
    struct raw *raw = calloc(1, sizeof *raw);

    raw->alive = ALIVE;
    raw->parent = parent;
    return raw;
}

static void destroy(struct raw *raw)
{
    CHECK(raw->alive == ALIVE);
    if (raw->parent != NULL)
        CHECK(raw->parent->alive == ALIVE); /* a parent goes after its children */
    raw->alive = 0;
    free(raw);
}

struct family {
    struct rbdcffi_handle cluster;
    struct rbdcffi_handle image;
    /* set when the entrance was barred: who looks later must not get in */
    int cluster_barred;
    int image_barred;
    int destroyed_images;
    int destroyed_clusters;
    int shut_first;
    /* those that have been inside */
    long entered;
    long alone;
    long turns;
    int closers;
    unsigned seed;
};

static void count(long *what)
{
    __atomic_add_fetch(what, 1, __ATOMIC_RELAXED);
}

#define BARRED(flag) __atomic_load_n(flag, __ATOMIC_SEQ_CST)

static void look(struct rbdcffi_handle *handle)
{
    struct raw *raw = handle->raw;

    CHECK(raw != NULL && raw->alive == ALIVE);
    if (raw->parent != NULL)
        CHECK(raw->parent->alive == ALIVE);
    CHECK(raw->alone == 0);
}

/* A call as the wrappers make it; 0 when the image is closed. */
static int call(struct family *family, int depth)
{
    struct rbdcffi_handle *image = &family->image;
    int before = BARRED(&family->image_barred) == 2;
    int refused = handle_enter(image, RBDCFFI_IMAGE);

    if (refused) {
        CHECK((RBDCFFI_REFUSED - refused) % 16 == RBDCFFI_CLOSED);
        CHECK(BARRED(&family->image_barred) != 0);
        return 0;
    }
    CHECK(!before); /* nobody enters when it is known to be shut */
    count(&family->entered);
    CHECK(rbdcffi_handle_entered(image) == depth + 1);
    look(image);
    dawdle();
    if (depth < 3 && chance(4) == 0)
        call(family, depth + 1); /* a callback of the call */
    look(image);
    handle_leave(image);
    CHECK(rbdcffi_handle_entered(image) == depth);
    return 1;
}

/* A wrapper of a function with two handles. */
static int call_with_both(struct family *family)
{
    int refused = handle_enter(&family->cluster, RBDCFFI_CLUSTER);

    if (refused)
        return 0;
    refused = handle_enter(&family->image, RBDCFFI_IMAGE);
    if (refused) {
        handle_leave(&family->cluster);
        return 0;
    }
    look(&family->cluster);
    look(&family->image);
    dawdle();
    look(&family->cluster);
    handle_leave(&family->image);
    handle_leave(&family->cluster);
    return 1;
}

static int call_alone(struct family *family)
{
    struct rbdcffi_handle *image = &family->image;
    struct raw *raw;
    int refused = handle_enter_alone(image, RBDCFFI_IMAGE);

    if (refused) {
        /* nobody takes long, so it is never given up */
        CHECK((RBDCFFI_REFUSED - refused) % 16 == RBDCFFI_CLOSED);
        return 0;
    }
    raw = image->raw;
    CHECK(raw->alive == ALIVE && raw->alone == 0);
    raw->alone = 1;
    dawdle();
    CHECK(raw->alone == 1);
    raw->alone = 0;
    count(&family->alone);
    handle_leave_alone(image);
    return 1;
}

static int call_in_turn(struct family *family, int shared)
{
    struct rbdcffi_handle *image = &family->image;
    struct raw *raw;
    int refused = handle_enter_waiting(image, RBDCFFI_IMAGE);

    if (refused)
        return 0;
    refused = handle_take_turn(image, RBDCFFI_IMAGE, shared);
    CHECK(!refused); /* nobody takes long */
    raw = image->raw;
    if (shared) {
        CHECK(raw->turn == 0);
        dawdle();
        CHECK(raw->turn == 0);
    } else {
        CHECK(raw->turn == 0);
        raw->turn = 1;
        dawdle();
        raw->turn = 0;
    }
    count(&family->turns);
    handle_leave_turn(image);
    handle_leave(image);
    return 1;
}

struct held {
    struct rbdcffi_stay stay;
    struct family *family;
};

static void *lets_go(void *arg)
{
    struct held *held = arg;

    look(&held->family->image);
    rbdcffi_stay_end(&held->stay);
    return NULL;
}

/* Held by one thread, let go by another one. */
static int call_that_stays(struct family *family)
{
    struct held held = {{NULL, NULL}, family};
    pthread_t thread;

    if (rbdcffi_stay_begin(&held.stay, &family->image) < 0)
        return 0;
    look(&family->image);
    CHECK(pthread_create(&thread, NULL, lets_go, &held) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return 1;
}

/* Another C handle comes behind the gate. */
static int swaps(struct family *family)
{
    struct rbdcffi_handle other;
    struct raw *taken;

    rbdcffi_handle_init(&other, RBDCFFI_IMAGE, new_raw(NULL));
    if (rbdcffi_handle_swap(&family->image, &other) < 0) {
        rbdcffi_handle_shut(&other);
        destroy(handle_take(&other));
        return 0;
    }
    rbdcffi_handle_shut(&other);
    taken = handle_take(&other);
    CHECK(taken != NULL);
    /* the new one has no parent that the test could look at, and that is all right */
    destroy(taken);
    return 1;
}

static void *works(void *arg)
{
    struct family *family = arg;
    int open = 1;

    chance_state = __atomic_add_fetch(&family->seed, 1, __ATOMIC_SEQ_CST) * UINT64_C(2654435761);
    while (open) {
        switch (chance(11)) {
        case 0:
            open = call_alone(family);
            break;
        case 1:
            open = call_in_turn(family, 0);
            break;
        case 2:
        case 3:
            open = call_in_turn(family, 1);
            break;
        case 4:
            open = call_with_both(family);
            break;
        case 5:
            open = chance(4) ? 1 : call_that_stays(family);
            break;
        case 6:
            open = chance(4) ? 1 : swaps(family);
            break;
        default:
            open = call(family, 0);
        }
    }
    CHECK(rbdcffi_thread_entered() == 0);
    return NULL;
}

static void bar(struct rbdcffi_handle *handle, int *barred, int *first)
{
    int state = 0;

    /* it may be shut from here on */
    __atomic_compare_exchange_n(barred, &state, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    if (rbdcffi_handle_shut(handle))
        __atomic_add_fetch(first, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(barred, 2, __ATOMIC_SEQ_CST);
}

static void take(struct rbdcffi_handle *handle, int *destroyed)
{
    struct raw *raw = handle_take(handle);

    if (raw == NULL)
        return;
    CHECK(__atomic_add_fetch(destroyed, 1, __ATOMIC_SEQ_CST) == 1);
    destroy(raw);
}

/* As rbdcffi/_handle.py does it: bar, children first, wait for the last one out, destroy. */
static void *closes(void *arg)
{
    struct family *family = arg;
    int hasty, i;

    chance_state = __atomic_add_fetch(&family->seed, 1, __ATOMIC_SEQ_CST) * UINT64_C(2654435761);
    hasty = __atomic_fetch_add(&family->closers, 1, __ATOMIC_SEQ_CST) == 0;
    for (i = chance(200); i > 0; i--)
        sched_yield();
    if (!hasty)
        bar(&family->cluster, &family->cluster_barred, &family->shut_first);
    bar(&family->image, &family->image_barred, &family->shut_first);
    if (hasty)
        /* does not wait: it is given the handle when nobody is inside, and not before */
        for (i = 0; i < 50; i++) {
            take(&family->image, &family->destroyed_images);
            sched_yield();
        }
    while (!rbdcffi_handle_drained(&family->image, 100))
        ;
    take(&family->image, &family->destroyed_images);
    return NULL;
}

#define WORKERS 5
#define CLOSERS 3

static long all_entered, all_alone, all_turns;

/* Everything at once, and closing in the middle of it. */
static void round_of_everything(unsigned seed)
{
    struct family *family = calloc(1, sizeof *family);
    pthread_t threads[WORKERS + CLOSERS];
    int i;

    family->seed = seed;
    rbdcffi_handle_init(&family->cluster, RBDCFFI_CLUSTER, new_raw(NULL));
    rbdcffi_handle_init(&family->image, RBDCFFI_IMAGE, new_raw(family->cluster.raw));
    CHECK(rbdcffi_close_quietly(&family->image, &family->cluster) < 0); /* no I/O context */
    if (seed % 3 == 0)
        rados_ioctx_create2(NULL, 1, &family->image.callbacks);
    for (i = 0; i < WORKERS + CLOSERS; i++)
        CHECK(pthread_create(&threads[i], NULL, i < WORKERS ? works : closes, family) == 0);
    for (i = 0; i < WORKERS + CLOSERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(family->destroyed_images == 1);
    while (!rbdcffi_handle_drained(&family->cluster, 100))
        ;
    take(&family->cluster, &family->destroyed_clusters);
    CHECK(family->destroyed_clusters == 1);
    CHECK(family->shut_first == 2); /* each was shut by one of them */
    CHECK(rbdcffi_handle_uses(&family->image) == 0);
    CHECK(rbdcffi_handle_uses(&family->cluster) == 0);
    CHECK(family->image.turn == 0 && family->image.waiting == NULL);
    CHECK(__atomic_load_n(&contexts_open, __ATOMIC_SEQ_CST) == 0);
    CHECK((RBDCFFI_REFUSED - handle_enter(&family->image, RBDCFFI_IMAGE)) % 16 == RBDCFFI_CLOSED);
    all_entered += family->entered;
    all_alone += family->alone;
    all_turns += family->turns;
    free(family);
}

struct last {
    struct rbdcffi_handle *handle;
    pthread_barrier_t inside;
};

static void *leaves(void *arg)
{
    struct last *last = arg;
    struct rbdcffi_handle *handle = last->handle;

    CHECK(handle_enter(handle, RBDCFFI_IMAGE) == 0);
    pthread_barrier_wait(&last->inside);
    look(handle);
    dawdle();
    handle_leave(handle);
    return NULL;
}

/* Who leaves last does not touch the gate after that: it is freed as soon as it is empty. */
static void round_of_the_last_one_out(unsigned seed)
{
    struct last last;
    pthread_t threads[3];
    int i;

    chance_state = seed;
    last.handle = malloc(sizeof *last.handle);
    rbdcffi_handle_init(last.handle, RBDCFFI_IMAGE, new_raw(NULL));
    pthread_barrier_init(&last.inside, NULL, 4);
    for (i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, leaves, &last) == 0);
    pthread_barrier_wait(&last.inside);
    CHECK(rbdcffi_handle_shut(last.handle) == 1);
    CHECK(rbdcffi_handle_shut(last.handle) == 0);
    while (!rbdcffi_handle_drained(last.handle, 100))
        ;
    destroy(handle_take(last.handle));
    memset(last.handle, 0xee, sizeof *last.handle);
    free(last.handle);
    for (i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    pthread_barrier_destroy(&last.inside);
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 100, i;
    unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : 1;

    for (i = 0; i < rounds; i++) {
        round_of_everything(seed + 100 * i);
        round_of_the_last_one_out(seed + i);
    }
    CHECK(all_entered > rounds && all_alone > 0 && all_turns > 0);
    printf("ok %u rounds, %ld calls, %ld alone, %ld turns\n", rounds, all_entered, all_alone,
        all_turns);
    return 0;
}
