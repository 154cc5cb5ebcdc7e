"""Who may talk to a run's scheduler and workers: whoever holds the key that this run has made for itself.

Whoever reaches a Dask scheduler can have it run any code as its user, and every user of a login node reaches its
127.0.0.1. So all connections are TLS, and both ends must show the run's certificate. There is one key for scheduler,
workers and client alike: they are one user's, and trust each other.
"""

import contextlib
import os
import re
import shutil
import socket
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

_CLOCKS_DISAGREE: Final = timedelta(days=1)
"""Certificates are valid from so long ago, as the clocks of nodes disagree. Chosen, not calibrated."""

_LONGEST_RUN: Final = timedelta(days=366)

_PREFIX: Final = ".dsfu-key"
_FILE: Final = "run.pem"


class CredentialsError(Exception):
    """There is no way to keep others out. Its text says why, and what to do."""


def make_pem() -> str:
    """A new private key and the certificate that goes with it, as text."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError as error:
        raise CredentialsError(
            "workers are reached through TLS, for which the package cryptography is missing: pip install cryptography"
        ) from error
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dsfu-run")])
    usage = dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DISAGREE)
        .not_valid_after(now + _LONGEST_RUN)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (secret + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def security_of(pem: str) -> Any:
    """Dask's ``Security`` that admits the holders of a key, and nobody else.

    Parameters
    ----------
    pem
        What `make_pem` has made, or the path of a file with it.
    """
    from distributed.security import Security

    roles = ("client", "scheduler", "worker")
    return Security(
        require_encryption=True,
        tls_ca_file=pem,
        **{f"tls_{role}_{part}": pem for role in roles for part in ("cert", "key")},
    )


class KeyFile:
    """A run's key in a folder that nobody else can enter, where its jobs find it; gone when closed.

    Parameters
    ----------
    parent
        Folder that all nodes see.
    """

    def __init__(self, parent: Path) -> None:
        _remove_orphans(parent)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_orphan_prefix()}{os.getpid()}-", dir=parent.absolute()))
        try:
            _check_that_it_is_closed(self._folder)
            self.path = self._folder / _FILE
            self.path.touch(mode=0o600, exist_ok=False)
            self.path.write_text(make_pem(), encoding="ascii")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _check_that_it_is_closed(folder: Path) -> None:
    """Some file systems do not know owners, or let others in all the same."""
    status = folder.stat()
    if status.st_mode & 0o077 or status.st_uid != os.geteuid():
        raise CredentialsError(
            f"{folder.parent}: others could read the run's key here, as the file system does not close folders "
            "(mode 0700); give another folder with --log-dir"
        )


def _orphan_prefix() -> str:
    host = re.sub(r"[^A-Za-z0-9.-]", "", socket.gethostname())
    return f"{_PREFIX}-{host}-"


def _remove_orphans(parent: Path) -> None:
    """Remove keys of runs on this machine that were killed."""
    prefix = _orphan_prefix()
    for folder in parent.glob(f"{prefix}*"):
        number = re.match(r"\d+(?=-)", folder.name.removeprefix(prefix))
        with contextlib.suppress(OSError):
            if number and not _is_alive(int(number[0])) and not folder.is_symlink():
                (folder / _FILE).unlink(missing_ok=True)
                folder.rmdir()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
