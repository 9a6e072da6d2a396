/* Comes after the wrappers: the functions named here enter the image's gate. */

#define VALUE(name)                                          \
    int64_t rbdcffi_##name(rbd_image_t image)                \
    {                                                        \
        uint64_t value;                                      \
        int result = gated_rbd_##name(image, &value);        \
        return result < 0 ? result : (int64_t)value;         \
    }

VALUE(get_size)
VALUE(get_features)
VALUE(get_op_features)
VALUE(get_flags)
VALUE(get_overlap)
VALUE(get_stripe_unit)
VALUE(get_stripe_count)
