/*
 * To be loaded in front of everything else: now and then, the threads on which librbd is called back
 * stop for a while where they take a mutex, as they do on a machine with too much to do.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int of_librbd(void *address)
{
    Dl_info found;

    return dladdr(address, &found) && strstr(found.dli_fname, "librbd.so") != NULL;
}

/* "fn-radosclient" is what the thread was called before Ceph 16 */
static int calls_back(void)
{
    char name[32] = "";

    pthread_getname_np(pthread_self(), name, sizeof name);
    return strncmp(name, "io_context_pool", 15) == 0 || strncmp(name, "fn-radosclient", 14) == 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    static int (*lock)(pthread_mutex_t *);
    static __thread int known, slow;
    static __thread unsigned seed;

    if (lock == NULL)
        lock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
    if (!known) {
        known = 1;
        slow = calls_back();
        seed = (unsigned)((uintptr_t)&seed >> 12);
    }
    if (slow && of_librbd(__builtin_return_address(0)) && rand_r(&seed) % 50 == 0)
        usleep(8000);
    return lock(mutex);
}
