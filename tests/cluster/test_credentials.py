"""The key of a run: who can read it, and what is left of it."""

import os
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dsfu.cluster.credentials import CredentialsError, KeyFile, make_pem, security_of
from tests.cluster.others import NOBODY


def test_every_run_has_another_key():
    assert make_pem() != make_pem()


def test_the_certificate_is_a_strict_one(tmp_path):
    """Python 3.13 checks more than the versions before it."""
    file = tmp_path / "run.pem"
    file.write_text(make_pem())
    context = ssl.create_default_context(cafile=str(file))
    context.load_cert_chain(file)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", str(file), str(file)]
    assert "OK" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_encryption_is_required_whatever_dasks_settings_say():
    import dask
    import distributed  # noqa: F401  (brings its own settings)

    with dask.config.set({"distributed.comm.require-encryption": False}):
        assert security_of(make_pem()).require_encryption


def test_the_key_lies_where_only_its_owner_can_enter_and_goes_with_the_run(tmp_path):
    before = os.umask(0)
    try:
        key = KeyFile(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(key.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600
    assert "PRIVATE KEY" in key.path.read_text()
    key.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try it as another user")
def test_another_user_cannot_read_the_key(tmp_path):
    tmp_path.chmod(0o777)
    key = KeyFile(tmp_path)
    done = subprocess.run(["cat", str(key.path)], user=NOBODY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    key.close()


def test_a_file_system_that_lets_others_in_is_refused(tmp_path, monkeypatch):
    def let_all_in(prefix: str, dir: Path) -> str:
        folder = Path(dir) / prefix
        folder.mkdir()
        folder.chmod(0o755)
        return str(folder)

    monkeypatch.setattr("tempfile.mkdtemp", let_all_in)
    with pytest.raises(CredentialsError, match="others could read the run's key"):
        KeyFile(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_keys_of_runs_that_were_killed_go_and_those_of_others_stay(tmp_path):
    code = f"""
import os, pathlib, signal
from dsfu.cluster.credentials import KeyFile
KeyFile(pathlib.Path({str(tmp_path)!r}))
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    (orphan,) = tmp_path.iterdir()
    elsewhere = tmp_path / ".dsfu-key-another.host-1-abc"
    elsewhere.mkdir()
    alive = KeyFile(tmp_path)
    assert not orphan.exists()
    again = KeyFile(tmp_path)
    assert elsewhere.exists()
    assert alive.path.exists()
    for each in (alive, again):
        each.close()


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(CredentialsError, match="pip install cryptography"):
        make_pem()
