"""The store on S3 and on servers that speak its language. The only module that knows boto3."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC
from functools import cache
from typing import Any, NoReturn

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.loaders import Loader, create_loader

from landing.errors import ObjectExists, ObjectMissing, StoreUnavailable
from landing.store import ObjectInfo, checked_key, checked_prefix

_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 30
_ATTEMPTS_MAX = 3
"""Tries of one request by boto3 itself, with its jittered pauses; who calls us has a back-off of its own."""

_CONNECTIONS_MAX = 16
_DEFAULT_REGION = "us-east-1"
"""Servers that are not Amazon's ignore the region, but a signature needs one."""

_PRECONDITION_FAILED = 412


class S3Store:
    """A store in a bucket that exists already, below a prefix.

    A put of S3 is atomic, and read-after-write and listings are consistent, on Amazon S3, SeaweedFS, MinIO
    and R2. `put_new` needs the server to honour `If-None-Match: *` on a put, as these do.
    One instance may be used by several threads.
    """

    def __init__(self, bucket: str, prefix: str = "", *, endpoint_url: str | None = None) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        session = _new_session()
        self._client = session.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=session.region_name or _DEFAULT_REGION,
            config=Config(
                connect_timeout=_CONNECT_TIMEOUT_S,
                read_timeout=_READ_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS_MAX},
                max_pool_connections=_CONNECTIONS_MAX,
                # Few servers besides Amazon's name buckets by host, or know the newer trailing checksums;
                # Content-MD5 protects the upload everywhere.
                s3={"addressing_style": "path" if endpoint_url else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, key: str, data: bytes) -> None:
        try:
            self._put(key, data)
        except (ClientError, BotoCoreError, HTTPClientError) as error:
            self._fail("putting", key, error)

    def put_new(self, key: str, data: bytes) -> None:
        try:
            self._put(key, data, IfNoneMatch="*")
        except ClientError as error:
            metadata = error.response.get("ResponseMetadata", {})
            if metadata.get("HTTPStatusCode") != _PRECONDITION_FAILED:
                self._fail("putting new", key, error)
            if metadata.get("RetryAttempts", 0) > 0:
                # The try before this one may have been the one that took the key, and only its answer was lost.
                raise StoreUnavailable(
                    f"putting new {key} in {self._place()}: an answer was lost; try again"
                ) from error
            raise ObjectExists(key) from None
        except (BotoCoreError, HTTPClientError) as error:
            self._fail("putting new", key, error)

    def get(self, key: str) -> bytes:
        try:
            data: bytes = self._client.get_object(Bucket=self.bucket, Key=self._key(key))["Body"].read()
        except self._client.exceptions.NoSuchKey:
            raise ObjectMissing(key) from None
        except (ClientError, BotoCoreError, HTTPClientError) as error:
            self._fail("getting", key, error)
        return data

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        # SeaweedFS lists folder by folder, which is not key order where a name goes on with `-` or `.`;
        # sorting a listing that is sorted already costs one pass.
        yield from sorted(self._pages(checked_prefix(prefix)))

    def delete(self, key: str) -> None:
        try:
            self._client.delete_object(Bucket=self.bucket, Key=self._key(key))
        except (ClientError, BotoCoreError, HTTPClientError) as error:
            self._fail("deleting", key, error)

    def _put(self, key: str, data: bytes, **conditions: str) -> None:
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        self._client.put_object(
            Bucket=self.bucket,
            Key=self._key(key),
            Body=data,
            ContentMD5=base64.b64encode(digest).decode(),
            **conditions,
        )

    def _pages(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object below `prefix` in the server's order; folder markers, which end in a slash, left out."""
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    if not entry["Key"].endswith("/"):
                        yield self._info(entry)
        except (ClientError, BotoCoreError, HTTPClientError) as error:
            self._fail("listing", prefix, error)

    def _info(self, entry: dict[str, Any]) -> ObjectInfo:
        return ObjectInfo(entry["Key"].removeprefix(self.prefix), entry["Size"], entry["LastModified"].astimezone(UTC))

    def _key(self, key: str) -> str:
        return self.prefix + checked_key(key)

    def _place(self) -> str:
        return f"s3://{self.bucket}/{self.prefix} at {self._client.meta.endpoint_url}"

    def _fail(self, operation: str, key: str, error: Exception) -> NoReturn:
        raise StoreUnavailable(f"{operation} {key} in {self._place()}: {error}") from error


def _new_session() -> boto3.session.Session:
    """A session of its own, as the environment is now; boto3's description of S3 is read once a process."""
    core = botocore.session.get_session()
    core.register_component("data_loader", _loader())
    return boto3.session.Session(botocore_session=core)


@cache
def _loader() -> Loader:
    """Reads the descriptions and keeps them: a second store opens in a tenth of the time."""
    return create_loader()
