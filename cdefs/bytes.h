/* Adds new_bytes(length) to the compiled module (CPython only); see bytes.c. */

int rbdcffi_add_new_bytes(void);
