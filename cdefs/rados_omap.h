/* Key/value maps of objects. */

typedef void *rados_omap_iter_t;

int rados_omap_get_next(rados_omap_iter_t iter, char **key, char **val, size_t *len);
int rados_omap_get_next2(
    rados_omap_iter_t iter, char **key, char **val, size_t *key_len, size_t *val_len);
unsigned int rados_omap_iter_size(rados_omap_iter_t iter);
void rados_omap_get_end(rados_omap_iter_t iter);
void rados_write_op_omap_cmp(
    rados_write_op_t write_op, const char *key, uint8_t comparison_operator, const char *val,
    size_t val_len, int *prval);
void rados_write_op_omap_cmp2(
    rados_write_op_t write_op, const char *key, uint8_t comparison_operator, const char *val,
    size_t key_len, size_t val_len, int *prval);
void rados_write_op_omap_set(
    rados_write_op_t write_op, const char *const *keys, const char *const *vals,
    const size_t *lens, size_t num);
void rados_write_op_omap_set2(
    rados_write_op_t write_op, const char *const *keys, const char *const *vals,
    const size_t *key_lens, const size_t *val_lens, size_t num);
void rados_write_op_omap_rm_keys(
    rados_write_op_t write_op, const char *const *keys, size_t keys_len);
void rados_write_op_omap_rm_keys2(
    rados_write_op_t write_op, const char *const *keys, const size_t *key_lens, size_t keys_len);
void rados_write_op_omap_rm_range2(
    rados_write_op_t write_op, const char *key_begin, size_t key_begin_len, const char *key_end,
    size_t key_end_len);  // since 16
void rados_write_op_omap_clear(rados_write_op_t write_op);
void rados_read_op_omap_cmp(
    rados_read_op_t read_op, const char *key, uint8_t comparison_operator, const char *val,
    size_t val_len, int *prval);
void rados_read_op_omap_cmp2(
    rados_read_op_t read_op, const char *key, uint8_t comparison_operator, const char *val,
    size_t key_len, size_t val_len, int *prval);
void rados_read_op_omap_get_vals(
    rados_read_op_t read_op, const char *start_after, const char *filter_prefix,
    uint64_t max_return, rados_omap_iter_t *iter, int *prval);
void rados_read_op_omap_get_vals2(
    rados_read_op_t read_op, const char *start_after, const char *filter_prefix,
    uint64_t max_return, rados_omap_iter_t *iter, unsigned char *pmore, int *prval);
void rados_read_op_omap_get_keys(
    rados_read_op_t read_op, const char *start_after, uint64_t max_return,
    rados_omap_iter_t *iter, int *prval);
void rados_read_op_omap_get_keys2(
    rados_read_op_t read_op, const char *start_after, uint64_t max_return,
    rados_omap_iter_t *iter, unsigned char *pmore, int *prval);
void rados_read_op_omap_get_vals_by_keys(
    rados_read_op_t read_op, const char *const *keys, size_t keys_len, rados_omap_iter_t *iter,
    int *prval);
void rados_read_op_omap_get_vals_by_keys2(
    rados_read_op_t read_op, const char *const *keys, size_t num_keys, const size_t *key_lens,
    rados_omap_iter_t *iter, int *prval);
