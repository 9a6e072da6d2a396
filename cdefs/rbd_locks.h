/* Managed exclusive lock and advisory locks. */

typedef enum {
    RBD_LOCK_MODE_EXCLUSIVE,
    RBD_LOCK_MODE_SHARED,
    RBD_LOCK_MODE_EXCLUSIVE_TRANSIENT,
    ...
} rbd_lock_mode_t;

int rbd_is_exclusive_lock_owner(rbd_image_t image, int *is_owner);
int rbd_lock_acquire(rbd_image_t image, rbd_lock_mode_t lock_mode);
int rbd_lock_release(rbd_image_t image);
int rbd_lock_get_owners(
    rbd_image_t image, rbd_lock_mode_t *lock_mode, char **lock_owners, size_t *max_lock_owners);
void rbd_lock_get_owners_cleanup(char **lock_owners, size_t lock_owner_count);
int rbd_lock_break(rbd_image_t image, rbd_lock_mode_t lock_mode, const char *lock_owner);
ssize_t rbd_list_lockers(
    rbd_image_t image, int *exclusive, char *tag, size_t *tag_len, char *clients,
    size_t *clients_len, char *cookies, size_t *cookies_len, char *addrs, size_t *addrs_len);
int rbd_lock_exclusive(rbd_image_t image, const char *cookie);
int rbd_lock_shared(rbd_image_t image, const char *cookie, const char *tag);
int rbd_unlock(rbd_image_t image, const char *cookie);
int rbd_break_lock(rbd_image_t image, const char *client, const char *cookie);
