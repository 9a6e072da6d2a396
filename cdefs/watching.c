/*
 * Watches of an image: its updates, and the requests to quiesce what writes to it.
 *
 * librbd calls back on threads of its own, which must neither wait nor run Python. The callback
 * appends an event to its watch and writes the watch's eventfd; whoever polls that takes the
 * events. Updates that nobody has taken yet are one event.
 *
 * librbd is given a number, not a pointer: a callback that comes late finds nothing under it. And
 * librbd must be answered exactly once for every quiesce (it aborts the process otherwise), so the
 * answer that is due is counted here, and ending a watch gives it.
 *
 * One lock and one condition for all watches. They are never held across a call of librbd: it
 * calls back while it holds locks of its own, which its functions take, too.
 */

#define RBDCFFI_WATCH_UPDATES 1
#define RBDCFFI_WATCH_QUIESCE 2

#define RBDCFFI_EVENT_NONE 0
#define RBDCFFI_EVENT_ENDED 1
#define RBDCFFI_EVENT_UPDATED 2
#define RBDCFFI_EVENT_QUIESCE 3
#define RBDCFFI_EVENT_UNQUIESCE 4

/* An unquiesce not yet taken, the next quiesce, and the unquiesce of that: no more can wait. */
#define MAX_EVENTS 4

/*
 * Closed watches are deaf: librbd still has them, but nobody hears of their events. Leaving means
 * that some thread is inside of rbd_*_unwatch.
 */
enum watch_state { WATCH_NEW, WATCH_OPEN, WATCH_DEAF, WATCH_LEAVING, WATCH_ENDED };

/* The memory belongs to a Python object, which lives at least as long as the watch is listed. */
struct rbdcffi_watch {
    int fd;
    int kind;
    enum watch_state state;
    unsigned process;
    struct rbdcffi_watch *next;
    struct rbdcffi_handle *image;
    uint64_t number;
    uint64_t registered; /* what librbd calls it */
    int unanswered;      /* librbd waits for rbd_quiesce_complete */
    int answering;       /* calls of that which run */
    int count;
    int events[MAX_EVENTS];
};

static pthread_mutex_t watch_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t watch_changed = PTHREAD_COND_INITIALIZER;
static struct rbdcffi_watch *watches;
static uint64_t watch_numbers;

static void watches_after_fork(void)
{
    /* no thread of librbd came along; the numbers go on, the watches are the parent's */
    watches = NULL;
    pthread_mutex_init(&watch_lock, NULL);
    pthread_cond_init(&watch_changed, NULL);
}

__attribute__((constructor)) static void watches_watch_forks(void)
{
    pthread_atfork(NULL, NULL, watches_after_fork);
}

static void watch_signal(struct rbdcffi_watch *watch)
{
    uint64_t one = 1;

    while (write(watch->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* With the lock. */
static void watch_append(struct rbdcffi_watch *watch, int event)
{
    if (watch->count > 0 && watch->events[watch->count - 1] == event)
        return;
    if (watch->count == MAX_EVENTS)
        return; /* cannot be, see there */
    watch->events[watch->count++] = event;
    if (watch->count == 1)
        watch_signal(watch);
}

/* With the lock. */
static void watch_deafen(struct rbdcffi_watch *watch)
{
    if (watch->state != WATCH_OPEN)
        return;
    watch->state = WATCH_DEAF;
    watch->count = 0;
    watch_signal(watch); /* for good: whoever polls it sees the end */
}

/* With the lock, which it gives back while librbd is called. */
static void watch_answer(struct rbdcffi_watch *watch, int result)
{
    watch->unanswered = 0;
    watch->answering++;
    pthread_mutex_unlock(&watch_lock);
    rbd_quiesce_complete(watch->image->raw, watch->registered, result);
    pthread_mutex_lock(&watch_lock);
    watch->answering--;
    pthread_cond_broadcast(&watch_changed);
}

/* Called by librbd, on a thread of its own, as are all three below. */
static void watch_event(void *number, int event)
{
    struct rbdcffi_watch *watch;

    /* at exit: Python's memory goes, a watch that could not be ended must not be touched */
    if (__atomic_load_n(&forgotten, __ATOMIC_SEQ_CST))
        return;
    pthread_mutex_lock(&watch_lock);
    for (watch = watches; watch != NULL; watch = watch->next)
        if (watch->number == (uintptr_t)number)
            break;
    if (watch != NULL) {
        if (event == RBDCFFI_EVENT_QUIESCE)
            watch->unanswered = 1;
        if (watch->state == WATCH_OPEN || watch->state == WATCH_NEW)
            watch_append(watch, event);
        else if (event == RBDCFFI_EVENT_QUIESCE)
            watch_answer(watch, 0); /* a closed watch asks for no delay */
    }
    pthread_mutex_unlock(&watch_lock);
}

static void watch_updated(void *number)
{
    watch_event(number, RBDCFFI_EVENT_UPDATED);
}

static void watch_quiesce(void *number)
{
    watch_event(number, RBDCFFI_EVENT_QUIESCE);
}

static void watch_unquiesce(void *number)
{
    watch_event(number, RBDCFFI_EVENT_UNQUIESCE);
}

/* With the lock. */
static void watch_unlist(struct rbdcffi_watch *watch)
{
    struct rbdcffi_watch **link;

    for (link = &watches; *link != NULL; link = &(*link)->next)
        if (*link == watch) {
            *link = watch->next;
            break;
        }
    watch->state = WATCH_ENDED;
    pthread_cond_broadcast(&watch_changed);
}

/* With the lock: takes the place of a closed watch of the same image, if there is one. */
static int watch_takes_over(struct rbdcffi_watch *watch)
{
    struct rbdcffi_watch *closed;

    for (closed = watches; closed != NULL; closed = closed->next)
        if (closed->image == watch->image && closed->kind == watch->kind
            && closed->state == WATCH_DEAF && !closed->unanswered && !closed->answering) {
            watch->number = closed->number;
            watch->registered = closed->registered;
            watch->state = WATCH_OPEN;
            watch_unlist(closed);
            watch->next = watches;
            watches = watch;
            return 1;
        }
    return 0;
}

/* Begins to watch; `watch` is zeroed memory. 0 or a negative result. */
int rbdcffi_watch_start(rbd_image_t image, struct rbdcffi_watch *watch, int kind)
{
    struct rbdcffi_handle *handle = image;
    uint64_t registered = 0;
    void *number;
    int result;

    watch->fd = -1;
    if (kind == RBDCFFI_WATCH_QUIESCE && rbd_quiesce_watch == NULL)
        return REFUSE(0, RBDCFFI_ABSENT);
    result = handle_enter(handle, RBDCFFI_IMAGE);
    if (result)
        return result;
    watch->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch->fd < 0) {
        result = -errno;
        handle_leave(handle);
        return result;
    }
    watch->kind = kind;
    watch->image = handle;
    watch->process = this_process;
    pthread_mutex_lock(&watch_lock);
    if (kind == RBDCFFI_WATCH_QUIESCE && watch_takes_over(watch)) {
        pthread_mutex_unlock(&watch_lock);
        handle_leave(handle);
        return 0;
    }
    /* before librbd knows of it: the first event may come before the call returns */
    watch->number = ++watch_numbers;
    watch->next = watches;
    watches = watch;
    pthread_mutex_unlock(&watch_lock);
    number = (void *)(uintptr_t)watch->number;
    if (kind == RBDCFFI_WATCH_QUIESCE)
        result = rbd_quiesce_watch(
            handle->raw, watch_quiesce, watch_unquiesce, number, &registered);
    else
        result = rbd_update_watch(handle->raw, &registered, watch_updated, number);
    pthread_mutex_lock(&watch_lock);
    if (result < 0) {
        watch_unlist(watch);
    } else {
        watch->registered = registered;
        watch->state = WATCH_OPEN;
    }
    pthread_mutex_unlock(&watch_lock);
    handle_leave(handle);
    return result;
}

/* Takes the next event; RBDCFFI_EVENT_NONE if there is none. */
int rbdcffi_watch_next(struct rbdcffi_watch *watch)
{
    uint64_t signalled;
    int i, event = RBDCFFI_EVENT_NONE;

    if (watch->process != this_process)
        return RBDCFFI_EVENT_ENDED;
    pthread_mutex_lock(&watch_lock);
    if (watch->state != WATCH_OPEN) {
        event = RBDCFFI_EVENT_ENDED;
    } else if (watch->count > 0) {
        event = watch->events[0];
        watch->count--;
        for (i = 0; i < watch->count; i++)
            watch->events[i] = watch->events[i + 1];
        if (watch->count == 0)
            while (read(watch->fd, &signalled, sizeof signalled) < 0 && errno == EINTR)
                ;
    }
    pthread_mutex_unlock(&watch_lock);
    return event;
}

/* Whether there will be no more events. */
int rbdcffi_watch_ended(struct rbdcffi_watch *watch)
{
    int ended;

    if (watch->process != this_process)
        return 1;
    pthread_mutex_lock(&watch_lock);
    ended = watch->state != WATCH_OPEN;
    pthread_mutex_unlock(&watch_lock);
    return ended;
}

/* Says that what was asked for by a quiesce event is done: 1, or 0 if nobody waits any more. */
int rbdcffi_watch_answer(struct rbdcffi_watch *watch, int result)
{
    int due;

    if (watch->process != this_process)
        return 0;
    pthread_mutex_lock(&watch_lock);
    due = watch->state == WATCH_OPEN && watch->unanswered;
    if (due)
        watch_answer(watch, result);
    pthread_mutex_unlock(&watch_lock);
    return due;
}

/* With the lock: a closed watch of the image that owes an answer. */
static struct rbdcffi_watch *watch_owing(struct rbdcffi_handle *image)
{
    struct rbdcffi_watch *watch;

    for (watch = watches; watch != NULL; watch = watch->next)
        if (watch->image == image && watch->unanswered
            && (watch->state == WATCH_DEAF || watch->state == WATCH_LEAVING))
            return watch;
    return NULL;
}

/*
 * Ends a watch. Afterwards it has no events; a quiesce that it has not answered is answered with
 * -ECANCELED. Idempotent, from any thread.
 *
 * A watch for quiesce stays with librbd, deaf, until the image is closed or another one takes its
 * place: then the result is 1. For rbd_quiesce_unwatch waits until every watch of the image has
 * answered, and when the last watch leaves between quiesce and unquiesce, librbd 16 goes on
 * believing that the image is quiesced, and every later snapshot of it, by any client, hangs.
 * When the image is being closed, all its watches end together: nobody waits for another's hook.
 *
 * With the lock, which it gives back while librbd is called.
 */
static int watch_end(struct rbdcffi_watch *watch)
{
    struct rbdcffi_watch *other;
    struct rbdcffi_handle *image = watch->image;
    int closing;

    if (watch->state == WATCH_NEW || watch->state == WATCH_ENDED)
        return 0;
    watch_deafen(watch);
    closing = (__atomic_load_n(&image->uses, __ATOMIC_SEQ_CST) & SHUT) != 0;
    if (closing)
        for (other = watches; other != NULL; other = other->next)
            if (other->image == image)
                watch_deafen(other);
    /* the list may change while librbd is called: look from the beginning each time */
    while ((other = watch_owing(image)) != NULL)
        watch_answer(other, -ECANCELED);
    if (watch->state == WATCH_DEAF && !closing && watch->kind == RBDCFFI_WATCH_QUIESCE)
        return 1;
    if (watch->state == WATCH_DEAF) {
        watch->state = WATCH_LEAVING;
        pthread_mutex_unlock(&watch_lock);
        if (watch->kind == RBDCFFI_WATCH_QUIESCE)
            rbd_quiesce_unwatch(image->raw, watch->registered);
        else
            rbd_update_unwatch(image->raw, watch->registered);
        pthread_mutex_lock(&watch_lock);
        while (watch->answering)
            pthread_cond_wait(&watch_changed, &watch_lock);
        watch_unlist(watch);
    } else {
        while (watch->state != WATCH_ENDED)
            pthread_cond_wait(&watch_changed, &watch_lock);
    }
    return 0;
}

int rbdcffi_watch_end(struct rbdcffi_watch *watch)
{
    int kept;

    if (watch->process != this_process)
        return 0;
    pthread_mutex_lock(&watch_lock);
    kept = watch_end(watch);
    pthread_mutex_unlock(&watch_lock);
    return kept;
}

/* Before an image is closed: Python may not know of a watch, if Ctrl-C came when it began. */
static void watches_end(struct rbdcffi_handle *image)
{
    struct rbdcffi_watch *watch;

    pthread_mutex_lock(&watch_lock);
    /* from the beginning each time, as the list may change */
    for (watch = watches; watch != NULL;) {
        /* the gate is drained: none of its watches is on its way to begin */
        if (watch->image != image || watch->state == WATCH_NEW) {
            watch = watch->next;
            continue;
        }
        if (watch->state == WATCH_LEAVING)
            pthread_cond_wait(&watch_changed, &watch_lock);
        else
            watch_end(watch);
        watch = watches;
    }
    pthread_mutex_unlock(&watch_lock);
}

/* With the last reference to it. */
void rbdcffi_watch_free(struct rbdcffi_watch *watch)
{
    if (watch->fd >= 0)
        close(watch->fd);
    watch->fd = -1;
}
