static int rbdcffi_on_extents(void *callback);
static int rbdcffi_on_progress(uint64_t done, uint64_t total, void *callback);

/*
 * A thread that asks for the GIL when the interpreter has gone is ended by it; in the midst of C++
 * that ends the process. So Python is not called any more once it is on its way out.
 */
static int python_is_over;
static int inside_python;

static int enter_python(void)
{
    __atomic_add_fetch(&inside_python, 1, __ATOMIC_SEQ_CST);
    return !__atomic_load_n(&python_is_over, __ATOMIC_SEQ_CST);
}

static void leave_python(void)
{
    __atomic_sub_fetch(&inside_python, 1, __ATOMIC_SEQ_CST);
}

/* From now on callbacks end what calls them. Waits for those that run, but not for ever. */
void rbdcffi_end_callbacks(int milliseconds)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    __atomic_store_n(&python_is_over, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&inside_python, __ATOMIC_SEQ_CST) > 0 && milliseconds-- > 0)
        nanosleep(&moment, NULL);
}

/* A full table of a diff. */
static int tell_extents(void *callback)
{
    int result = enter_python() ? rbdcffi_on_extents(callback) : -ECANCELED;

    leave_python();
    return result;
}

int rbdcffi_progress(uint64_t done, uint64_t total, void *callback)
{
    int result = enter_python() ? rbdcffi_on_progress(done, total, callback) : -ECANCELED;

    leave_python();
    return result;
}

int rbdcffi_no_progress(uint64_t done, uint64_t total, void *data)
{
    (void)done;
    (void)total;
    (void)data;
    return 0;
}
