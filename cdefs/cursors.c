/*
 * A cursor is a place in the order of a pool's objects, a value in memory of its own. librados
 * wants an I/O context along with it, but does not look at it here, so that a cursor can go after
 * its context has gone.
 */
void rbdcffi_cursor_free(rados_object_list_cursor cursor)
{
    rados_object_list_cursor_free(NULL, cursor);
}

struct rbdcffi_page {
    char *text; /* names, locator keys and namespaces, one after the other */
    size_t length;
    size_t room;
};

static int page_append(struct rbdcffi_page *page, const char *text, size_t length)
{
    if (page->room - page->length < length) {
        size_t room = 2 * (page->length + length) + 4096;
        char *grown = realloc(page->text, room);

        if (grown == NULL)
            return -ENOMEM;
        page->text = grown;
        page->room = room;
    }
    if (length > 0)
        memcpy(page->text + page->length, text, length);
    page->length += length;
    return 0;
}

/*
 * Takes up to `most` objects: their texts into the page, and three lengths of each into `sizes`.
 * Returns 0 or what ended the listing, behind those `*count` objects.
 */
int rbdcffi_list_page(
    rados_list_ctx_t listing, struct rbdcffi_page *page, size_t *sizes, size_t most, size_t *count)
{
    const char *text[3];
    int i, result;

    page->length = 0;
    for (*count = 0; *count < most; ++*count, sizes += 3) {
        result = rados_nobjects_list_next2(
            listing, &text[0], &text[1], &text[2], &sizes[0], &sizes[1], &sizes[2]);
        for (i = 0; i < 3 && result == 0; i++) {
            if (text[i] == NULL)
                sizes[i] = 0; /* no locator key, whatever its length is said to be */
            result = page_append(page, text[i], sizes[i]);
        }
        if (result < 0)
            return result;
    }
    return 0;
}

void rbdcffi_page_free(struct rbdcffi_page *page)
{
    free(page->text);
    page->text = NULL;
    page->length = page->room = 0;
}
