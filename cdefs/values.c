/*
 * Comes after the wrappers: the functions named here enter the image's gate.
 *
 * A value above INT64_MAX cannot be told from an error in the result: that is RBDCFFI_HUGE, and
 * the caller asks again, through a pointer.
 */

#define VALUE(name)                                          \
    int64_t rbdcffi_##name(rbd_image_t image)                \
    {                                                        \
        uint64_t value;                                      \
        int result = gated_rbd_##name(image, &value);        \
        if (result < 0)                                      \
            return result;                                   \
        return value > INT64_MAX ? RBDCFFI_HUGE : (int64_t)value; \
    }

VALUE(get_size)
VALUE(get_features)
VALUE(get_op_features)
VALUE(get_flags)
VALUE(get_overlap)
VALUE(get_stripe_unit)
VALUE(get_stripe_count)
