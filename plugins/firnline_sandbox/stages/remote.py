"""External stages: files in S3, what speaks its protocol, and Azure Blob Storage, through Arrow's file systems."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import urllib.parse
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyarrow import fs

from firnline_sandbox.errors import error, unsupported
from firnline_sandbox.stages.external import AZURE_HOST, check_external
from firnline_sandbox.stages.files import UNFINISHED, StagedFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A URL of an external stage, ready to be read and written.

    ``base`` is the URL's path in the file system, without a slash at its end; ``cache`` the local folder for copies.
    """

    url: str
    base: str
    files: fs.FileSystem
    cache: Path

    def list(self, prefix: str) -> Iterator[RemoteFile]:
        """List the files whose path behind the URL starts with a prefix.

        Raises:
            ProgrammingError: 91003, the storage cannot be read.
        """
        folder = prefix.rpartition("/")[0]
        start = f"{self.base}/{folder}".rstrip("/")
        with _storage_errors(self.url):
            found = self.files.get_file_info(fs.FileSelector(start, recursive=True, allow_not_found=True))
            bucket = self.base.split("/")[0]
            if not found and self.files.get_file_info(bucket).type == fs.FileType.NotFound:
                raise FileNotFoundError(f"there is no bucket or container '{bucket}'")
        for info in found:
            relative = info.path.removeprefix(self.base).lstrip("/")
            if info.type == fs.FileType.File and relative.startswith(prefix):
                shown = f"{self.url.rstrip('/')}/{relative}"
                yield RemoteFile(name=shown, relative=relative, local=self.cache, bucket=self, info=info)

    def put(self, source: Path, relative: str) -> None:
        """Copy a local file into the storage."""
        with _storage_errors(self.url), source.open("rb") as reading:
            target = f"{self.base}/{relative}".replace("//", "/")
            with self.files.open_output_stream(target) as writing:
                shutil.copyfileobj(reading, writing, 1 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile(StagedFile):
    """A file of an external stage; it is copied to the local disk when somebody reads it."""

    bucket: Bucket
    info: fs.FileInfo

    @property
    def path(self) -> Path:
        """Give the local copy, fetching it if there is none of the file as it is now."""
        key = hashlib.sha256(f"{self.info.path}\0{self.content_key}".encode()).hexdigest()
        target: Path = self.local / key / str(self.info.base_name)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.parent / f"{UNFINISHED}{uuid.uuid4().hex}"
            with _storage_errors(self.name):
                _fetch(self.bucket.files, self.info.path, unfinished)
            unfinished.replace(target)
        return target

    @property
    def metadata_name(self) -> str:
        """Give the path in the bucket or container."""
        return str(self.info.path).split("/", 1)[-1]

    @property
    def size(self) -> int:
        """Give the number of bytes."""
        return int(self.info.size)

    @property
    def changed(self) -> dt.datetime:
        """Give the time of the last change, without a time zone."""
        changed: dt.datetime = self.info.mtime
        return changed.astimezone(dt.UTC).replace(tzinfo=None)

    @property
    def content_key(self) -> str:
        """Give the storage's own mark of the content; its clock ticks too slowly to tell writes apart."""
        with _storage_errors(self.name), self.bucket.files.open_input_stream(self.info.path) as stream:
            marks = stream.metadata() or {}
        tag = next((value for name, value in marks.items() if str(name).lower() == "etag"), "")
        return f"{int(self.info.size):x}-{int(self.info.mtime_ns):x}-{tag}"

    def remove(self) -> None:
        """Remove the file from the storage."""
        with _storage_errors(self.name):
            self.bucket.files.delete_file(self.info.path)


def _fetch(files: fs.FileSystem, path: str, target: Path) -> None:
    with files.open_input_stream(path) as reading, target.open("wb") as writing:
        shutil.copyfileobj(reading, writing, 1 << 20)


class _storage_errors:  # noqa: N801 (used like a function)
    """Turn the storage's errors into Snowflake's."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, failure: BaseException | None, trace: object) -> None:
        if isinstance(failure, OSError):
            message = f"Failure using stage area. Cause: [{failure}] at '{self._what}'"
            raise error(91003, "22000", message) from failure


def open_bucket(url: str, credentials: Mapping[str, Any], endpoint: str, cache: Path) -> Bucket:
    """Open the storage behind ``s3://``, ``s3compat://`` or ``azure://``.

    Raises:
        ProgrammingError: 1015, the URL, the credentials or the endpoint are none; 2, the sandbox lacks the storage.
    """
    check_external(url, credentials, endpoint)
    parts = urllib.parse.urlsplit(url)
    path = parts.path.strip("/")
    if parts.scheme.lower() == "azure":
        container = path
        files: fs.FileSystem = _azure(parts.netloc, credentials)
        return Bucket(url=url, base=container, files=files, cache=cache)
    base = f"{parts.netloc}/{path}" if path else parts.netloc
    return Bucket(url=url, base=base, files=_s3(parts.netloc, credentials, endpoint), cache=cache)


def _s3(bucket: str, credentials: Mapping[str, Any], endpoint: str) -> fs.FileSystem:
    with _storage_errors(f"s3://{bucket}"):
        region = "us-east-1" if endpoint else fs.resolve_s3_region(bucket)
    scheme, _, host = endpoint.rpartition("://")
    key = credentials.get("AWS_KEY_ID")
    # Without credentials Snowflake reads public buckets: those of the machine's user are none of a stage's business.
    return fs.S3FileSystem(
        access_key=key,
        secret_key=credentials.get("AWS_SECRET_KEY"),
        session_token=credentials.get("AWS_TOKEN"),
        anonymous=key is None,
        endpoint_override=host or None,
        scheme=scheme or "https",
        region=region,
        connect_timeout=10,
        request_timeout=60,
    )


def _azure(host: str, credentials: Mapping[str, Any]) -> fs.FileSystem:
    token = credentials.get("AZURE_SAS_TOKEN")
    if token is None:
        raise unsupported("an azure:// stage without CREDENTIALS = (AZURE_SAS_TOKEN = '...')")
    return fs.AzureFileSystem(host.removesuffix(AZURE_HOST), sas_token=str(token))
