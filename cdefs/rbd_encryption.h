/* Encryption (LUKS). */

typedef enum {
    RBD_ENCRYPTION_FORMAT_LUKS1,
    RBD_ENCRYPTION_FORMAT_LUKS2,
    RBD_ENCRYPTION_FORMAT_LUKS,
    ...
} rbd_encryption_format_t;

typedef enum {
    RBD_ENCRYPTION_ALGORITHM_AES128,
    RBD_ENCRYPTION_ALGORITHM_AES256,
    ...
} rbd_encryption_algorithm_t;

typedef void *rbd_encryption_options_t;

typedef struct {
    rbd_encryption_format_t format;
    rbd_encryption_options_t opts;
    size_t opts_size;
    ...;
} rbd_encryption_spec_t;

typedef struct {
    rbd_encryption_algorithm_t alg;
    const char *passphrase;
    size_t passphrase_size;
    ...;
} rbd_encryption_luks1_format_options_t;

typedef struct {
    rbd_encryption_algorithm_t alg;
    const char *passphrase;
    size_t passphrase_size;
    ...;
} rbd_encryption_luks2_format_options_t;

typedef struct {
    const char *passphrase;
    size_t passphrase_size;
    ...;
} rbd_encryption_luks_format_options_t;

int rbd_encryption_format(
    rbd_image_t image, rbd_encryption_format_t format, rbd_encryption_options_t opts,
    size_t opts_size);  // since 16
int rbd_encryption_load(
    rbd_image_t image, rbd_encryption_format_t format, rbd_encryption_options_t opts,
    size_t opts_size);  // since 16
int rbd_encryption_load2(
    rbd_image_t image, const rbd_encryption_spec_t *specs, size_t spec_count);  // since 18
