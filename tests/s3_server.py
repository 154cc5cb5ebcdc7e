"""An S3 server on this machine: moto's, in a thread of the tests, with buckets that are gone when they end.

A test module asks for it with ``pytest_plugins = ["tests.s3_server"]``. Processes that a test starts find the server
through their environment.
"""

import os
from collections.abc import Iterator
from itertools import count
from unittest.mock import patch

import boto3
import pytest
from moto.server import ThreadedMotoServer

_numbers = count()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Address of the server; while it runs, the environment has it, with credentials."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    surroundings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    with patch.dict(os.environ, surroundings):
        yield endpoint
    server.stop()


@pytest.fixture
def s3_url(s3_endpoint: str) -> str:
    """Where a store can be made, in a bucket that holds something else too."""
    bucket = f"bucket-{next(_numbers)}"
    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key="data/store-of-others/file", Body=b"theirs")
    return f"s3://{bucket}/data/store"
