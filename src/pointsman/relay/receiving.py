"""Taking a host's telemetry: what a message says is added up, and the message is forgotten."""

import gzip
import io
import json
import threading
import time
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from pointsman.model.errors import PointsmanError
from pointsman.store.host_telemetry import HostTelemetry
from pointsman.telemetry.received import read_message

_REMEMBERED = 512
_PRUNE_EVERY = 3600.0
_KEPT_S = 90 * 86_400


class Receiving:
    """Takes messages of OTLP, each once: an exporter that got no answer sends the same again."""

    SIGNALS: ClassVar[tuple[str, ...]] = ("logs", "metrics", "traces")
    MOST_BODY: ClassVar[int] = 4 * 1024 * 1024
    MOST_UNPACKED: ClassVar[int] = 16 * 1024 * 1024

    def __init__(self, file: Path) -> None:
        self._store = HostTelemetry.open(file)
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._pruned = time.monotonic()

    def take(self, signal: str, body: bytes, encoding: str) -> tuple[int, str]:
        """Take one message; return the status and the JSON of the answer."""
        try:
            value = json.loads(self._unpacked(body, encoding))
        except (OSError, EOFError, ValueError, RecursionError) as error:
            return 400, json.dumps({"code": 3, "message": f"it cannot be read: {error}"[:200]})
        digest = sha256(signal.encode() + b"\0" + body).digest()
        with self._lock:
            if digest in self._seen:
                return 200, "{}"
            try:
                self._store.add(read_message(signal, value, time.time_ns()))
                self._prune()
            except PointsmanError as error:
                # To be tried again: 503 is what an exporter repeats.
                return 503, json.dumps({"code": 14, "message": str(error)})
            self._seen[digest] = None
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return 200, "{}"

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._store.close()

    def _unpacked(self, body: bytes, encoding: str) -> bytes:
        if encoding in {"", "identity"}:
            return body
        if encoding != "gzip":
            raise ValueError(f"content-encoding {encoding[:20]!r} is not known")
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            data = file.read(self.MOST_UNPACKED + 1)
        if len(data) > self.MOST_UNPACKED:
            raise ValueError(f"unpacked it is more than {self.MOST_UNPACKED} bytes")
        return data

    def _prune(self) -> None:
        now = time.monotonic()
        if now - self._pruned > _PRUNE_EVERY:
            self._pruned = now
            self._store.prune(time.time_ns() - _KEPT_S * 10**9)
