/*
 * Extents of a diff on their way from librbd to Python.
 *
 * Entering Python for every extent is dear as soon as another thread runs Python, because each
 * entry has to win the GIL. So librbd fills a table here, and Python is entered once a batch.
 * Two forms:
 * - with a callback (diff_iterate): a full table calls Python on the thread of the diff. A table
 *   that has waited for a tenth of a second counts as full: a slow diff still reports.
 * - without one (the iterator): a full table makes the diff wait until the consumer on another
 *   thread has taken it. This is what bounds memory: a slow consumer stops the C side.
 */

#define MAX_DELAY_NS INT64_C(100000000)

struct rbdcffi_extents {
    unsigned capacity;
    unsigned count;
    int stopped;
    int finished;
    unsigned process;
    int64_t oldest;
    void *callback;
    uint64_t *offsets;
    uint64_t *lengths;
    uint8_t *exists;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The memory of the struct and of its arrays belongs to Python objects, as that of handles. */
void rbdcffi_extents_init(
    struct rbdcffi_extents *extents, unsigned capacity, uint64_t *offsets, uint64_t *lengths,
    uint8_t *exists, void *callback)
{
    memset(extents, 0, sizeof *extents);
    extents->capacity = capacity;
    extents->offsets = offsets;
    extents->lengths = lengths;
    extents->exists = exists;
    extents->callback = callback;
    extents->process = this_process;
    pthread_mutex_init(&extents->lock, NULL);
    pthread_cond_init(&extents->changed, NULL);
}

static void extents_append(
    struct rbdcffi_extents *extents, uint64_t offset, uint64_t length, int exists)
{
    unsigned i = extents->count;

    extents->offsets[i] = offset;
    extents->lengths[i] = length;
    extents->exists[i] = exists != 0;
    extents->count = i + 1;
}

/* The callback that librbd is given. A negative result ends the diff. */
int rbdcffi_extents_add(uint64_t offset, size_t length, int exists, void *arg)
{
    struct rbdcffi_extents *extents = arg;
    int stopped;

    if (extents->callback != NULL) {
        int64_t now = now_ns();

        if (extents->count == 0)
            extents->oldest = now;
        extents_append(extents, offset, length, exists);
        if (extents->count == extents->capacity || now - extents->oldest > MAX_DELAY_NS)
            return tell_extents(extents->callback);
        return 0;
    }
    pthread_mutex_lock(&extents->lock);
    while (extents->count == extents->capacity && !extents->stopped)
        pthread_cond_wait(&extents->changed, &extents->lock);
    stopped = extents->stopped;
    if (!stopped) {
        extents_append(extents, offset, length, exists);
        if (extents->count == extents->capacity)
            pthread_cond_broadcast(&extents->changed);
    }
    pthread_mutex_unlock(&extents->lock);
    return stopped ? -ECANCELED : 0;
}

/*
 * Moves the table's content to the caller's arrays (of the same capacity). Waits for a full
 * table, the end of the diff, or the end of the time; then takes what is there, maybe nothing.
 */
unsigned rbdcffi_extents_take(
    struct rbdcffi_extents *extents, uint64_t *offsets, uint64_t *lengths, uint8_t *exists,
    int milliseconds)
{
    struct timespec until;
    unsigned count;
    int timed_out = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += milliseconds * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&extents->lock);
    while (extents->count < extents->capacity && !extents->finished && !timed_out)
        timed_out =
            pthread_cond_timedwait(&extents->changed, &extents->lock, &until) == ETIMEDOUT;
    count = extents->count;
    memcpy(offsets, extents->offsets, count * sizeof *offsets);
    memcpy(lengths, extents->lengths, count * sizeof *lengths);
    memcpy(exists, extents->exists, count * sizeof *exists);
    extents->count = 0;
    pthread_cond_broadcast(&extents->changed);
    pthread_mutex_unlock(&extents->lock);
    return count;
}

/* Ends the diff at its next extent; called by the consumer's side. */
void rbdcffi_extents_stop(struct rbdcffi_extents *extents)
{
    /* in a forked child, a thread that does not exist there may hold the lock */
    if (extents->process != this_process)
        return;
    pthread_mutex_lock(&extents->lock);
    extents->stopped = 1;
    pthread_cond_broadcast(&extents->changed);
    pthread_mutex_unlock(&extents->lock);
}

/* The diff has returned; called by its thread. */
void rbdcffi_extents_finish(struct rbdcffi_extents *extents)
{
    pthread_mutex_lock(&extents->lock);
    extents->finished = 1;
    pthread_cond_broadcast(&extents->changed);
    pthread_mutex_unlock(&extents->lock);
}

/* Whether the diff has returned and everything it found has been taken. */
int rbdcffi_extents_finished(struct rbdcffi_extents *extents)
{
    int result;

    pthread_mutex_lock(&extents->lock);
    result = extents->finished && extents->count == 0;
    pthread_mutex_unlock(&extents->lock);
    return result;
}
