import sysconfig

from setuptools import setup

# One binary is for every CPython from 3.9 on. Those without a GIL have no such ABI (before 3.15,
# and cffi does not write for that one yet), so a binary is for just the version it was built for.
without_gil = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

setup(
    cffi_modules=["build_ffi.py:make"],
    options={} if without_gil else {"bdist_wheel": {"py_limited_api": "cp39"}},
)
