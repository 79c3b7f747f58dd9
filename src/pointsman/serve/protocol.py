"""The frames that client and daemon exchange (docs/transport.md)."""

import struct
from collections.abc import Mapping

from pointsman.model.answer import Answer
from pointsman.model.errors import TransportError

REQUEST_MAGIC = b"PMQ1"
ANSWER_MAGIC = b"PMA1"
SKEW_MAGIC = b"PMS1"
TRAILER = b"DONE"
MOST_HEADER = 64 * 1024
MOST_BODY = 4 * 1024 * 1024
MOST_ANSWER = 16 * 1024 * 1024
PREFIX = struct.Struct(">4sII")
_ANSWER = struct.Struct(">4sIII")
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n"}
_UNESCAPES = {"\\\\": "\\", "\\t": "\t", "\\n": "\n"}


def lengths(prefix: bytes) -> tuple[int, int]:
    """Read the first twelve bytes of a request: the lengths of header and body.

    Raises:
        TransportError: another protocol, or lengths past the caps.
    """
    magic, header, body = PREFIX.unpack(prefix)
    if magic != REQUEST_MAGIC:
        raise TransportError(
            f"the client begins with {magic!r}, this daemon speaks {REQUEST_MAGIC!r}",
            fix="pointsman up --restart",
        )
    if header > MOST_HEADER or body > MOST_BODY:
        raise TransportError(f"a header of {header} and a body of {body} bytes are too much")
    return header, body


def read_header(data: bytes) -> dict[str, str]:
    """Read the header's lines into a mapping."""
    # Paths need not be UTF-8: this way every byte of them survives.
    text = data.decode("utf-8", "surrogateescape")
    pairs = [line.partition("\t") for line in text.split("\n") if line]
    if "\\" not in text:
        return {key: value for key, _, value in pairs}
    return {key: _unescape(value) for key, _, value in pairs}


def write_header(values: Mapping[str, str]) -> bytes:
    """Write a mapping as header lines."""
    text = "".join(f"{key}\t{_escape(value)}\n" for key, value in values.items())
    return text.encode("utf-8", "surrogateescape")


def request(values: Mapping[str, str], body: bytes) -> bytes:
    """Return a whole request frame."""
    header = write_header(values)
    return PREFIX.pack(REQUEST_MAGIC, len(header), len(body)) + header + body


def answer(given: Answer) -> bytes:
    """Return a whole answer frame."""
    head = _ANSWER.pack(ANSWER_MAGIC, given.code, len(given.stdout), len(given.stderr))
    return b"".join((head, given.stdout, given.stderr, TRAILER))


def read_answer(data: bytes) -> Answer:
    """Read a whole answer frame.

    Raises:
        TransportError: it is cut, garbled, or of another protocol.
    """
    if len(data) < _ANSWER.size:
        raise TransportError(f"the answer has {len(data)} bytes", fix="pointsman up --restart")
    magic, code, out, err = _ANSWER.unpack_from(data)
    end = _ANSWER.size + out + err
    # What was cut short has no trailer where its lengths put it.
    if magic != ANSWER_MAGIC or data[end : end + len(TRAILER)] != TRAILER:
        raise TransportError(f"the answer {data[:40]!r} is garbled", fix="pointsman up --restart")
    stdout = data[_ANSWER.size : _ANSWER.size + out]
    return Answer(code, stdout, data[_ANSWER.size + out : end])


def skew(text: str) -> bytes:
    """Return the frame that tells a client of another protocol so."""
    data = text.encode()
    return SKEW_MAGIC + struct.pack(">I", len(data)) + data


def _escape(value: str) -> str:
    return "".join(_ESCAPES.get(char, char) for char in value)


def _unescape(value: str) -> str:
    if "\\" not in value:
        return value
    # In one pass: replaced one after the other, an escaped backslash before a `t` would be a tab.
    out = []
    index = 0
    while index < len(value):
        pair = value[index : index + 2]
        step = 2 if pair in _UNESCAPES else 1
        out.append(_UNESCAPES.get(pair, value[index]))
        index += step
    return "".join(out)
