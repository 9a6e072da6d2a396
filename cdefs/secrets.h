/* Memory for secrets, which is wiped before it is freed; see secrets.c. */

struct rbdcffi_secret {
    size_t size;
    char *text;
};

struct rbdcffi_secret *rbdcffi_secret_new(size_t size);
int rbdcffi_secret_has_nul(const struct rbdcffi_secret *secret);
void rbdcffi_secret_free(struct rbdcffi_secret *secret);
