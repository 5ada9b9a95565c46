"""An S3 server of this machine, with one bucket, for tests of results in an object store."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import pytest

BUCKET = "results"


@contextlib.contextmanager
def s3_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Have one, which programs that are started find by their environment.

    Yields:
        fsspec's view of it, which keeps nothing.
    """
    fsspec = pytest.importorskip("fsspec")
    pytest.importorskip("s3fs")
    requests = pytest.importorskip("requests")
    moto = pytest.importorskip("moto.server")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it tells of each request
    server = moto.ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    requests.post(f"{address}/moto-api/reset", timeout=60)  # what is in it is of this process
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "anyone",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    system = fsspec.filesystem("s3", use_listings_cache=False, skip_instance_cache=True)
    system.mkdir(BUCKET)
    try:
        yield system
    finally:
        server.stop()
