/* Python functions that C calls; rbdcffi/_callbacks.py gives them bodies. */

extern "Python" int rbdcffi_on_extents(void *callback);
extern "Python" int rbdcffi_on_progress(uint64_t done, uint64_t total, void *callback);

/* What the libraries are given to call the latter. */
int rbdcffi_progress(uint64_t done, uint64_t total, void *callback);
void rbdcffi_end_callbacks(int milliseconds);

/* For calls that insist on a progress callback when nobody wants to hear of it. */
int rbdcffi_no_progress(uint64_t done, uint64_t total, void *data);
