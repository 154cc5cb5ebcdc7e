"""Another user of this machine, who tries to have a Dask process run code, and to read the run's key."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence

import psutil

NOBODY = 65534

_TRY_AS_CLIENT = """
    import sys
    from distributed import Client
    from distributed.security import Security
    from dsfu.cluster.credentials import make_pem, security_of

    own = security_of(make_pem())
    become_nobody()
    for protocol, security in (("tcp", None), ("tls", own)):
        try:
            client = Client(f"{protocol}://{sys.argv[1]}", security=security, timeout=2, set_as_default=False)
        except Exception as error:
            print("refused:", protocol, type(error).__name__)
        else:
            print("LET IN:", client.run_on_scheduler(lambda: __import__("os").getpid()))
"""

_TRY_AS_PEER = """
    import asyncio, sys
    from distributed.core import rpc
    from dsfu.cluster.credentials import make_pem, security_of

    async def main():
        own = security_of(make_pem()).get_connection_args("client")
        for protocol, arguments in (("tcp", {}), ("tls", own)):
            try:
                async with rpc(f"{protocol}://{sys.argv[1]}", connection_args=arguments, timeout=2) as peer:
                    print("LET IN:", await asyncio.wait_for(peer.identity(), 3))
            except Exception as error:
                print("refused:", protocol, type(error).__name__)

    become_nobody()
    asyncio.run(main())
"""

_BECOME_NOBODY = f"""
    import distributed.comm.tcp, distributed.deploy, encodings.idna, os, tornado.netutil

    def become_nobody():
        if os.geteuid() == 0:  # only now: the interpreter may lie where another user cannot read it
            os.setgroups([])
            os.setgid({NOBODY})
            os.setuid({NOBODY})
"""


def as_client(address: str) -> str:
    """What becomes of another user who connects to a scheduler, unencrypted and with a key of his own."""
    return _told_by_nobody(_TRY_AS_CLIENT, [_host_and_port(address)])


def as_peer(address: str) -> str:
    """The same at any process of Dask's, in the way in which they talk to each other."""
    return _told_by_nobody(_TRY_AS_PEER, [_host_and_port(address)])


def listening(*processes: psutil.Process) -> list[tuple[str, int]]:
    """Where processes and what they have started accept connections."""
    family = [each for process in processes for each in [process, *process.children(recursive=True)]]
    found = [each.laddr for process in family for each in process.net_connections() if each.status == "LISTEN"]
    return [(address.ip, address.port) for address in found]


def _host_and_port(address: str) -> str:
    return address.partition("://")[2]


def _told_by_nobody(code: str, arguments: Sequence[str]) -> str:
    """Run a program as another user where this one may do that (root), or else as this one without the key."""
    command = [sys.executable, "-c", textwrap.dedent(_BECOME_NOBODY) + textwrap.dedent(code), *arguments]
    environment = {**os.environ, "HOME": "/tmp"}
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
