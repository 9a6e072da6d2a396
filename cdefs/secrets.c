/*
 * Passphrases and keys, on their way to the library: wiped before the memory is freed, whoever
 * frees it, and when. A NUL follows the text.
 */

struct rbdcffi_secret {
    size_t size;
    char *text;
};

struct rbdcffi_secret *rbdcffi_secret_new(size_t size)
{
    struct rbdcffi_secret *secret;

    if (size > SIZE_MAX - sizeof *secret - 1)
        return NULL;
    secret = calloc(1, sizeof *secret + size + 1);
    if (secret != NULL) {
        secret->size = size;
        secret->text = (char *)(secret + 1);
    }
    return secret;
}

int rbdcffi_secret_has_nul(const struct rbdcffi_secret *secret)
{
    return memchr(secret->text, 0, secret->size) != NULL;
}

void rbdcffi_secret_free(struct rbdcffi_secret *secret)
{
    volatile char *text = secret->text;
    size_t i;

    /* volatile: what is freed next is never read again, and a compiler leaves such writes out */
    for (i = 0; i < secret->size; i++)
        text[i] = 0;
    free(secret);
}
