/*
 * Listings of the objects of a pool: pages at a time, and cursors, which outlive their I/O context;
 * see cursors.c.
 */

struct rbdcffi_page {
    char *text;
    size_t length;
    size_t room;
};

int rbdcffi_list_page(
    rados_list_ctx_t listing, struct rbdcffi_page *page, size_t *sizes, size_t most, size_t *count);
void rbdcffi_page_free(struct rbdcffi_page *page);
void rbdcffi_cursor_free(rados_object_list_cursor cursor);
