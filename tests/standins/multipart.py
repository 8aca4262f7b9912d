"""Reading a form as uploads send it: multipart/form-data, strictly."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage


class MultipartError(ValueError):
    """A body that is not what its Content-Type says."""


@dataclass(frozen=True)
class Part:
    """A field, or a file where `filename` is set."""

    name: str
    content: bytes
    filename: str | None = None
    kind: str = ""


def read_parts(content_type: str, body: bytes) -> list[Part]:
    """Split `body` at the boundary that `content_type` names."""
    head = _parsed(f"Content-Type: {content_type}\r\n".encode())
    boundary = head.get_boundary("")
    if head.get_content_type() != "multipart/form-data" or not boundary:
        raise MultipartError(f"not multipart/form-data with a boundary: {content_type!r}")
    first, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if first or not parts or parts.pop().strip(b"\r\n") != b"--":
        raise MultipartError("the form does not begin and end with its boundary")
    return [_part(part) for part in parts]


def _part(text: bytes) -> Part:
    head, found, content = text.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    message = _parsed(head + b"\r\n")
    name = message.get_param("name", header="content-disposition")
    if not found or message.get_content_disposition() != "form-data" or not isinstance(name, str):
        raise MultipartError(f"a part without a name: {head[:80]!r}")
    kind = message.get_content_type() if "content-type" in message else ""
    return Part(name, content, message.get_filename(), kind)


def _parsed(head: bytes) -> EmailMessage:
    message = email.message_from_bytes(head, policy=email.policy.HTTP)
    assert isinstance(message, EmailMessage)
    return message
