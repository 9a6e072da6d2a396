/* Extents of a diff, collected in C and handed to Python in batches; see extents.c. */

struct rbdcffi_extents {
    unsigned capacity;
    unsigned count;
    uint64_t *offsets;
    uint64_t *lengths;
    uint8_t *exists;
    ...;
};

void rbdcffi_extents_init(
    struct rbdcffi_extents *extents, unsigned capacity, uint64_t *offsets, uint64_t *lengths,
    uint8_t *exists, void *callback);
int rbdcffi_extents_add(uint64_t offset, size_t length, int exists, void *extents);
unsigned rbdcffi_extents_take(
    struct rbdcffi_extents *extents, uint64_t *offsets, uint64_t *lengths, uint8_t *exists,
    int milliseconds);
void rbdcffi_extents_stop(struct rbdcffi_extents *extents);
void rbdcffi_extents_finish(struct rbdcffi_extents *extents);
int rbdcffi_extents_finished(struct rbdcffi_extents *extents);
