"""Encryption of images with LUKS, by librbd itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from rbdcffi._buffers import UINT, number
from rbdcffi._errors import EOPNOTSUPP
from rbdcffi._ffi import ffi, has, lib, needs
from rbdcffi._secrets import Secret, hidden, hidden_specs, plain
from rbdcffi.rbd._base import ImageBase
from rbdcffi.rbd.constants import RBD_ENCRYPTION_ALGORITHM_AES256
from rbdcffi.rbd.errors import failed, invalid

#: What C calls the options of a format.
_OPTIONS = {
    lib.RBD_ENCRYPTION_FORMAT_LUKS1: ffi.typeof("rbd_encryption_luks1_format_options_t *"),
    lib.RBD_ENCRYPTION_FORMAT_LUKS2: ffi.typeof("rbd_encryption_luks2_format_options_t *"),
}
_LUKS_OPTIONS = ffi.typeof("rbd_encryption_luks_format_options_t *")


#: Stands for the cipher where none is chosen.
_NONE = object()


@contextmanager
def _options(
    what: str, format: int, passphrase: Secret, name: str = "passphrase", cipher_alg: Any = _NONE
) -> Iterator[tuple[int, Any]]:
    """The format and its options for C. The copy of the passphrase is wiped afterwards."""
    with passphrase:
        text = passphrase.pointer(f"{what}: {name}", invalid)
        kind, options = _options_of(what, format, cipher_alg)
        options.passphrase = text
        options.passphrase_size = passphrase.size
        yield kind, options


def _options_of(what: str, format: int, cipher_alg: Any) -> tuple[int, Any]:
    format = number(format, f"{what}: format", *UINT)
    if cipher_alg is _NONE and format == lib.RBD_ENCRYPTION_FORMAT_LUKS and _luks_loads():
        options = ffi.new(_LUKS_OPTIONS)
    elif format in _OPTIONS:
        options = ffi.new(_OPTIONS[format])
    else:
        raise failed(-EOPNOTSUPP, f"{what}: format {format}")
    if cipher_alg is not _NONE:
        options.alg = number(cipher_alg, f"{what}: cipher_alg", *UINT)
    return format, options


def _luks_loads() -> bool:
    """Whether librbd finds out by itself which version of LUKS it is."""
    return has("rbd_encryption_load2")


class Encryption(ImageBase):
    """The part of Image that encrypts."""

    @needs("rbd_encryption_format")
    def encryption_format(
        self,
        format: int,
        passphrase: str | bytes | bytearray | memoryview,
        cipher_alg: int = RBD_ENCRYPTION_ALGORITHM_AES256,
    ) -> None:
        """Makes the image an encrypted one, and loads the encryption. What it held is lost.

        The LUKS header takes space: size() is smaller by some MiB from then on. Deriving the key
        takes seconds. Whoever opens the image later has to call encryption_load() before any I/O.
        A clone can be formatted from Ceph 18 on. Needs Ceph 16.

        Parameters:
            format: RBD_ENCRYPTION_FORMAT_LUKS1 or RBD_ENCRYPTION_FORMAT_LUKS2.
            passphrase: str stands for its UTF-8. A bytearray can be wiped by the caller; the copy
                made here is.
            cipher_alg: RBD_ENCRYPTION_ALGORITHM_AES128 or RBD_ENCRYPTION_ALGORITHM_AES256.

        Raises NoSpace (the image is too small), InvalidArgument, ReadOnlyImage,
        OperationNotSupported (the format), TypeError, OverflowError.
        Implements: rbd_encryption_format
        """
        passphrase = secret = hidden(passphrase)
        what = f"encryption_format({plain(format)}, cipher_alg={plain(cipher_alg)})"
        with _options(self._about(what), format, secret, cipher_alg=cipher_alg) as (
            kind,
            options,
        ):
            result = lib.rbd_encryption_format(self._gate, kind, options, ffi.sizeof(options[0]))
        self._resized += 1
        self._done(result, what)

    @needs("rbd_encryption_load")
    def encryption_load(
        self, format: int, passphrase: str | bytes | bytearray | memoryview
    ) -> None:
        """Opens the encryption of an image: I/O is in plain text, size() is that of the plain text.

        Needs Ceph 16.

        Parameters:
            format: RBD_ENCRYPTION_FORMAT_LUKS1 or RBD_ENCRYPTION_FORMAT_LUKS2;
                RBD_ENCRYPTION_FORMAT_LUKS (Ceph 18) for either, and for clones whose parents are
                encrypted with the same passphrase.
            passphrase: as in encryption_format().

        Raises PermissionError (a wrong passphrase), InvalidArgument (not of this format),
        ImageExists (it is loaded already), OperationNotSupported (the format), TypeError,
        OverflowError.
        Implements: rbd_encryption_load
        """
        passphrase = secret = hidden(passphrase)
        what = f"encryption_load({plain(format)})"
        with _options(self._about(what), format, secret) as (kind, options):
            result = lib.rbd_encryption_load(self._gate, kind, options, ffi.sizeof(options[0]))
        self._resized += 1
        self._done(result, what)

    @needs("rbd_encryption_load2")
    def encryption_load2(
        self, specs: Sequence[tuple[int, str | bytes | bytearray | memoryview]]
    ) -> None:
        """Opens the encryption of a clone and of its parents. Needs Ceph 18.

        Parameters:
            specs: (format, passphrase) of the image, of its parent, and so on, as in
                encryption_load(); the last one is also for all parents above.

        Raises PermissionError (a wrong passphrase), InvalidArgument (not of this format, or too
        many), ImageExists (it is loaded already), OperationNotSupported (a format), TypeError,
        OverflowError.
        Implements: rbd_encryption_load2
        """
        specs = hidden_specs(specs)
        try:
            pairs = [(format, hidden(passphrase)) for format, passphrase in specs]
        except (TypeError, ValueError) as error:
            what = self._about("encryption_load2")
            raise type(error)(f"{what}: specs must be (format, passphrase): {error}") from None
        call = f"encryption_load2 with {len(pairs)} specs"
        c_specs = ffi.new("rbd_encryption_spec_t[]", len(pairs))
        with ExitStack() as stack:
            kept = []
            for i, (format, passphrase) in enumerate(pairs):
                kind, options = stack.enter_context(
                    _options(self._about(call), format, passphrase, f"specs[{i}][1]")
                )
                kept.append(options)
                c_specs[i].format = kind
                c_specs[i].opts = options
                c_specs[i].opts_size = ffi.sizeof(options[0])
            result = lib.rbd_encryption_load2(self._gate, c_specs, len(pairs))
        self._resized += 1
        self._done(result, call)

    def _about(self, call: str) -> str:
        return self._calling(call)
