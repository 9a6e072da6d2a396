/*
 * What librados tells on threads of its own: notifications of watched objects, lost watches, lines
 * of the cluster's log.
 *
 * librados calls back on threads that must not wait, nor run Python. The callback copies what it
 * is told into a notice, appends it to the list of its receiver and writes the receiver's eventfd;
 * whoever polls that takes the notices. A list holds no more than its capacity. What does not fit
 * is left out, and one notice at the end of the list says so. A notification that was left out is
 * not acknowledged, so the one who sent it is told as well.
 *
 * librados is given a number, not a pointer: a callback that comes late finds nothing under it.
 * One lock for all receivers, never held across a call of librados.
 */

#define RBDCFFI_NOTICE_NOTIFY 1
#define RBDCFFI_NOTICE_ERROR 2
#define RBDCFFI_NOTICE_MISSED 3
#define RBDCFFI_NOTICE_LOG 4

struct rbdcffi_notice {
    struct rbdcffi_notice *next;
    int kind;
    int error;
    /* of a notification: its id, who sent it, the watch; of a line: seconds, nanoseconds, number */
    uint64_t numbers[3];
    size_t length;
    char *data;
};

/* The memory belongs to a Python object, which lives at least as long as this is listed. */
struct rbdcffi_notices {
    int fd;
    uint64_t cookie; /* what librados calls the watch */
    unsigned process;
    int ended;
    int held; /* counts as a call inside of the handle, so that this is open until unwatch is done */
    struct rbdcffi_handle *handle;
    uint64_t number;
    unsigned capacity;
    unsigned count;
    struct rbdcffi_notice *first;
    struct rbdcffi_notice *last;
    struct rbdcffi_notices *next;
};

static pthread_mutex_t notices_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rbdcffi_notices *receivers;
static uint64_t receiver_numbers;

static void notices_after_fork(void)
{
    /* no thread of librados came along; the numbers go on, the receivers are the parent's */
    receivers = NULL;
    pthread_mutex_init(&notices_lock, NULL);
}

__attribute__((constructor)) static void notices_watch_forks(void)
{
    pthread_atfork(NULL, NULL, notices_after_fork);
}

static void notices_signal(struct rbdcffi_notices *notices)
{
    uint64_t one = 1;

    while (write(notices->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void rbdcffi_notice_free(struct rbdcffi_notice *notice)
{
    free(notice);
}

/* Zeroed, with room for `length` bytes of data, in one piece of memory. */
static struct rbdcffi_notice *notice_new(int kind, size_t length)
{
    struct rbdcffi_notice *notice = calloc(1, sizeof *notice + length + 1);

    if (notice != NULL) {
        notice->kind = kind;
        notice->length = length;
        notice->data = (char *)(notice + 1);
    }
    return notice;
}

/* Gives a notice to the receiver of that number; frees it if there is none, or no room. */
static void notice_send(void *number, struct rbdcffi_notice *notice)
{
    struct rbdcffi_notices *to;

    pthread_mutex_lock(&notices_lock);
    for (to = receivers; to != NULL; to = to->next)
        if (to->number == (uintptr_t)number)
            break;
    if (to != NULL && to->count >= to->capacity && to->last->kind != RBDCFFI_NOTICE_ERROR
        && (notice == NULL || notice->kind != RBDCFFI_NOTICE_ERROR)) {
        /* one place more, for the notice that something is missing */
        free(notice);
        notice = to->last->kind == RBDCFFI_NOTICE_MISSED
                     ? NULL
                     : notice_new(RBDCFFI_NOTICE_MISSED, 0);
    }
    /* an error is the end of a watch: there is room for one, and for the notices before it */
    if (to != NULL && notice != NULL && to->count <= to->capacity + 1) {
        if (to->first == NULL)
            to->first = notice;
        else
            to->last->next = notice;
        to->last = notice;
        if (to->count++ == 0)
            notices_signal(to);
        notice = NULL;
    }
    pthread_mutex_unlock(&notices_lock);
    free(notice);
}

/* At exit Python's memory goes: what could not be ended must not be touched. */
static int notices_forgotten(void)
{
    return __atomic_load_n(&forgotten, __ATOMIC_SEQ_CST);
}

/* Called by librados, on a thread of its own, as are all below. */
static void notices_notified(
    void *number, uint64_t notify_id, uint64_t cookie, uint64_t notifier_id, void *data,
    size_t length)
{
    struct rbdcffi_notice *notice;

    if (notices_forgotten())
        return;
    notice = notice_new(RBDCFFI_NOTICE_NOTIFY, length);
    if (notice == NULL)
        return; /* not acknowledged: who sent it is told */
    notice->numbers[0] = notify_id;
    notice->numbers[1] = notifier_id;
    notice->numbers[2] = cookie;
    if (length > 0)
        memcpy(notice->data, data, length);
    notice_send(number, notice);
}

static void notices_failed(void *number, uint64_t cookie, int error)
{
    struct rbdcffi_notice *notice;

    if (notices_forgotten())
        return;
    notice = notice_new(RBDCFFI_NOTICE_ERROR, 0);
    if (notice == NULL)
        return;
    notice->error = error;
    notice->numbers[2] = cookie;
    notice_send(number, notice);
}

#define LOG_TEXTS 6

static void notices_log(
    void *number, const char *const texts[LOG_TEXTS], uint64_t sec, uint64_t nsec, uint64_t seq)
{
    struct rbdcffi_notice *notice;
    size_t length = 0, size;
    char *end;
    int i;

    if (notices_forgotten())
        return;
    for (i = 0; i < LOG_TEXTS; i++)
        length += strlen(texts[i]) + 1;
    notice = notice_new(RBDCFFI_NOTICE_LOG, length);
    if (notice == NULL)
        return;
    notice->numbers[0] = sec;
    notice->numbers[1] = nsec;
    notice->numbers[2] = seq;
    end = notice->data;
    for (i = 0; i < LOG_TEXTS; i++) {
        size = strlen(texts[i]) + 1;
        memcpy(end, texts[i], size);
        end += size;
    }
    notice_send(number, notice);
}

static void notices_logged(
    void *number, const char *line, const char *who, uint64_t sec, uint64_t nsec, uint64_t seq,
    const char *level, const char *msg)
{
    const char *const texts[LOG_TEXTS] = {line, "", "", who, level, msg};

    notices_log(number, texts, sec, nsec, seq);
}

static void notices_logged2(
    void *number, const char *line, const char *channel, const char *who, const char *name,
    uint64_t sec, uint64_t nsec, uint64_t seq, const char *level, const char *msg)
{
    const char *const texts[LOG_TEXTS] = {line, channel, name, who, level, msg};

    notices_log(number, texts, sec, nsec, seq);
}

/* Makes a receiver known, before librados knows of it: 0 or a negative result. */
static int notices_open(
    struct rbdcffi_notices *notices, struct rbdcffi_handle *handle, unsigned capacity)
{
    notices->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (notices->fd < 0)
        return -errno;
    notices->process = this_process;
    notices->handle = handle;
    notices->capacity = capacity;
    pthread_mutex_lock(&notices_lock);
    notices->number = ++receiver_numbers;
    notices->next = receivers;
    receivers = notices;
    pthread_mutex_unlock(&notices_lock);
    return 0;
}

/*
 * Nothing more will be received, and what nobody has taken yet is dropped. Never waits;
 * idempotent.
 */
void rbdcffi_notices_end(struct rbdcffi_notices *notices)
{
    struct rbdcffi_notices **link;
    struct rbdcffi_notice *notice, *next;

    if (notices->process != this_process)
        return;
    pthread_mutex_lock(&notices_lock);
    for (link = &receivers; *link != NULL; link = &(*link)->next)
        if (*link == notices) {
            *link = notices->next;
            break;
        }
    notice = notices->first;
    notices->first = notices->last = NULL;
    notices->count = 0;
    if (!notices->ended) {
        notices->ended = 1;
        notices_signal(notices); /* for good: whoever polls it sees the end */
    }
    pthread_mutex_unlock(&notices_lock);
    for (; notice != NULL; notice = next) {
        next = notice->next;
        free(notice);
    }
}

/*
 * Begins to watch an object; `notices` is zeroed memory. 0 or a negative result. The context
 * belongs to the watch alone, and stays open until rbdcffi_notices_unwatch has returned.
 */
int rbdcffi_notices_watch(
    rados_ioctx_t io, struct rbdcffi_notices *notices, const char *oid, uint32_t timeout,
    unsigned capacity)
{
    struct rbdcffi_handle *handle = io;
    uint64_t cookie = 0;
    int result;

    notices->fd = -1;
    result = handle_hold(handle, RBDCFFI_IOCTX);
    if (result)
        return result;
    result = notices_open(notices, handle, capacity);
    if (result == 0)
        result = rados_watch3(
            handle->raw, oid, &cookie, notices_notified, notices_failed, timeout,
            (void *)(uintptr_t)notices->number);
    if (result < 0) {
        rbdcffi_notices_end(notices);
        handle_drop(handle);
        return result;
    }
    notices->cookie = cookie;
    __atomic_store_n(&notices->held, 1, __ATOMIC_SEQ_CST);
    return 0;
}

/* Ends the watch, and waits for the cluster to know; idempotent, from any thread. */
int rbdcffi_notices_unwatch(struct rbdcffi_notices *notices)
{
    int result;

    if (notices->process != this_process)
        return 0;
    rbdcffi_notices_end(notices);
    if (!__atomic_exchange_n(&notices->held, 0, __ATOMIC_SEQ_CST))
        return 0;
    /* not through the gate: it may be shut already, by the one who waits for this */
    result = rados_unwatch2(notices->handle->raw, notices->cookie);
    handle_drop(notices->handle);
    return result;
}

/* Begins to receive the cluster's log: `old` in the form of rados_monitor_log. A cluster handle
 * has one receiver: librados forgets the one before. */
int rbdcffi_notices_log(
    rados_t cluster, struct rbdcffi_notices *notices, const char *level, int old,
    unsigned capacity)
{
    struct rbdcffi_handle *handle = cluster;
    void *number;
    int result;

    notices->fd = -1;
    result = handle_enter(handle, RBDCFFI_CLUSTER);
    if (result)
        return result;
    result = notices_open(notices, handle, capacity);
    if (result == 0) {
        number = (void *)(uintptr_t)notices->number;
        if (old)
            result = rados_monitor_log(handle->raw, level, notices_logged, number);
        else
            result = rados_monitor_log2(handle->raw, level, notices_logged2, number);
        if (result < 0)
            rbdcffi_notices_end(notices);
    }
    handle_leave(handle);
    return result;
}

/* Takes the next notice, which the caller frees; NULL if there is none. */
struct rbdcffi_notice *rbdcffi_notices_next(struct rbdcffi_notices *notices)
{
    struct rbdcffi_notice *notice;
    uint64_t signalled;

    if (notices->process != this_process)
        return NULL;
    pthread_mutex_lock(&notices_lock);
    notice = notices->first;
    if (notice != NULL) {
        notices->first = notice->next;
        if (--notices->count == 0) {
            notices->last = NULL;
            while (read(notices->fd, &signalled, sizeof signalled) < 0 && errno == EINTR)
                ;
        }
    }
    pthread_mutex_unlock(&notices_lock);
    return notice;
}

/* Whether there will be no more notices. */
int rbdcffi_notices_ended(struct rbdcffi_notices *notices)
{
    int ended;

    if (notices->process != this_process)
        return 1;
    pthread_mutex_lock(&notices_lock);
    ended = notices->ended;
    pthread_mutex_unlock(&notices_lock);
    return ended;
}

/* With the last reference to it. */
void rbdcffi_notices_free(struct rbdcffi_notices *notices)
{
    rbdcffi_notices_end(notices);
    if (notices->fd >= 0)
        close(notices->fd);
    notices->fd = -1;
}
