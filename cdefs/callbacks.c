int rbdcffi_no_progress(uint64_t done, uint64_t total, void *data)
{
    (void)done;
    (void)total;
    (void)data;
    return 0;
}
