/*
 * new_bytes(length): a bytes object whose content is not yet set, so that a read can fill the
 * object it returns. CPython's documented way to build bytes in C: as long as nobody else has
 * seen the object, its creator may write to it. PyPy's bytes have no fixed address, there the
 * function does not exist.
 *
 * cffi functions cannot return Python objects, hence the plain builtin. Everything used here
 * belongs to the limited API of CPython 3.2.
 */

#ifdef PYPY_VERSION

int rbdcffi_add_new_bytes(void)
{
    return 0;
}

#else

static PyObject *new_bytes(PyObject *self, PyObject *arg)
{
    Py_ssize_t length = PyLong_AsSsize_t(arg);

    (void)self;
    if (length == -1 && PyErr_Occurred())
        return NULL;
    return PyBytes_FromStringAndSize(NULL, length);
}

static PyMethodDef new_bytes_def = {
    "new_bytes", new_bytes, METH_O, "new_bytes(length): bytes with undefined content"};

int rbdcffi_add_new_bytes(void)
{
    /* cffi has let go of the GIL around this call */
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *module = PyImport_AddModule("rbdcffi._librbd");
    PyObject *function = module ? PyCFunction_NewEx(&new_bytes_def, NULL, NULL) : NULL;
    int added = 0;

    if (function != NULL && PyObject_SetAttrString(module, "new_bytes", function) == 0)
        added = 1;
    else
        PyErr_Clear();
    Py_XDECREF(function);
    PyGILState_Release(gil);
    return added;
}

#endif
