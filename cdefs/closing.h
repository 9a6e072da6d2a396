int rbdcffi_close_image(rbd_image_t image);
int rbdcffi_unflushed(struct rbdcffi_handle *image);
int rbdcffi_family_fsid(struct rbdcffi_handle *handle, char *fsid, size_t length);
