"""Records to bytes and back: delimiter, encoding or raw bytes, length framing (pure)."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Union

from lofn.errors import RecordError, UsageError

BLOCK = 1 << 20  # bytes read or written at a time; a pipe's own limit for ordinary users
_MOST_RECORDS = 1 << 14  # records joined at a time, unless their bytes are enough before
_LENGTH = struct.Struct(">I")
_MOST = 0xFFFFFFFF

Record = Union[str, bytes]


@dataclass(frozen=True)
class Format:
    r"""How records lie in a file.

    ``delimiter`` ends each record (text, encoded like the records; bytes also where ``encoding``
    is None). ``encoding`` None means records are bytes. ``framing`` "length" puts each record's
    length in bytes before it, as an unsigned 32-bit big-endian number, and uses no delimiter: so
    records may hold anything. Framing "none" puts records of bytes next to each other as they are
    and gives back blocks of at most 1 MiB. ``errors`` is Python's: "strict", "replace",
    "surrogateescape"...
    """

    delimiter: Record = "\n"
    encoding: str | None = "utf-8"
    framing: str = "delimiter"
    errors: str = "strict"

    def __post_init__(self) -> None:
        if self.framing not in ("delimiter", "length", "none"):
            raise UsageError(
                f"framing must be 'delimiter', 'length' or 'none', not {self.framing!r}"
            )
        if self.framing == "none" and self.encoding is not None:
            raise UsageError("framing='none' is for bytes: it needs encoding=None")
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
            except (LookupError, TypeError):
                raise UsageError(
                    f"encoding {self.encoding!r} is unknown to Python: use e.g. 'utf-8', "
                    "'latin-1', or None for raw bytes"
                ) from None
        if not isinstance(self.delimiter, (str, bytes)) or not self.delimiter:
            raise UsageError(
                f"delimiter must be text or bytes of length 1 or more, not {self.delimiter!r}"
            )
        try:
            codecs.lookup_error(self.errors)
        except (LookupError, TypeError):
            raise UsageError(f"encoding_errors {self.errors!r} is unknown to Python") from None

    def _text_delimiter(self) -> str:
        if isinstance(self.delimiter, str):
            return self.delimiter
        return self.delimiter.decode(self.encoding or "utf-8")

    def _byte_delimiter(self) -> bytes:
        if isinstance(self.delimiter, bytes):
            return self.delimiter
        return self.delimiter.encode(self.encoding or "utf-8")

    def encode(self, records: Iterable[Any]) -> Iterator[bytes]:
        """Yield the file's bytes, some records at a time, never the whole.

        Raises RecordError with the record's index for one that is no text (or bytes), cannot be
        encoded, or contains the delimiter.
        """
        if self.framing == "length":
            return self._encode_lengths(records)
        if self.framing == "none":
            return self._encode_nothing(records)
        if self.encoding is None:
            return self._encode_bytes(records)
        return self._encode_text(records, self.encoding)

    def _encode_text(self, records: Iterable[Any], encoding: str) -> Iterator[bytes]:
        delimiter = self._text_delimiter()
        encoder = codecs.getincrementalencoder(encoding)(self.errors)
        start = 0
        for batch in _batches(records):
            try:
                text = delimiter.join(batch)
            except TypeError:
                _refuse_type(batch, start, str, "text")
                raise
            text += delimiter
            if not _splits_back(text, delimiter, batch):
                _refuse_delimiter(batch, start, delimiter)
            try:
                yield encoder.encode(text)
            except UnicodeEncodeError as error:
                index = start + text.count(delimiter, 0, error.start)
                raise RecordError(
                    f"record {index} cannot be written in {encoding}: {error.reason}; "
                    "choose another encoding, or encoding=None with records of bytes"
                ) from None
            start += len(batch)

    def _encode_bytes(self, records: Iterable[Any]) -> Iterator[bytes]:
        delimiter = self._byte_delimiter()
        start = 0
        for batch in _batches(records):
            try:
                block = delimiter.join(batch)
            except TypeError:
                _refuse_type(batch, start, (bytes, bytearray, memoryview), "bytes")
                raise
            block += delimiter
            if not _splits_back(block, delimiter, batch):
                _refuse_delimiter(batch, start, delimiter)
            yield block
            start += len(batch)

    def _encode_nothing(self, records: Iterable[Any]) -> Iterator[bytes]:
        for index, record in enumerate(records):
            if not isinstance(record, (bytes, bytearray, memoryview)):
                _refuse_type([record], index, bytes, "bytes")
            yield record  # type: ignore[misc]  # whatever a file can be given

    def _encode_lengths(self, records: Iterable[Any]) -> Iterator[bytes]:
        start = 0
        for batch in _batches(records):
            parts = []
            for index, record in enumerate(batch, start):
                data = self._one(record, index)
                parts.append(_LENGTH.pack(len(data)))
                parts.append(data)
            yield b"".join(parts)
            start += len(batch)

    def _one(self, record: Any, index: int) -> bytes:
        wanted: Any = str if self.encoding else (bytes, bytearray, memoryview)
        if not isinstance(record, wanted):
            _refuse_type([record], index, wanted, "text" if self.encoding else "bytes")
        try:
            data = record.encode(self.encoding, self.errors) if self.encoding else bytes(record)
        except UnicodeEncodeError as error:
            raise RecordError(
                f"record {index} cannot be written in {self.encoding}: {error.reason}"
            ) from None
        if len(data) > _MOST:
            raise RecordError(f"record {index} has {len(data)} bytes; length framing ends at 4 GiB")
        return data

    def decode(self, blocks: Iterable[bytes]) -> Iterator[Any]:
        """Yield the records of a file given as blocks of bytes of any size.

        What follows the last delimiter is a record too, unless it is empty. Raises RecordError
        with the record's index for bytes that are not of the encoding, or a frame cut short.
        """
        return chain.from_iterable(self.decode_batches(blocks))

    def decode_batches(self, blocks: Iterable[bytes]) -> Iterator[Sequence[Any]]:
        """Yield the records as `decode` does, some at a time: a block makes many."""
        if self.framing == "length":
            return self._decode_lengths(blocks)
        if self.framing == "none":
            return ((block,) for block in blocks)
        if self.encoding is None:
            return _split(blocks, self._byte_delimiter(), b"")
        return self._decode_text(blocks, self.encoding)

    def _decode_text(self, blocks: Iterable[bytes], encoding: str) -> Iterator[list[str]]:
        decoder = codecs.getincrementaldecoder(encoding)(self.errors)
        done = 0
        try:
            for records in _split(_texts(blocks, decoder), self._text_delimiter(), ""):
                done += len(records)
                yield records
        except UnicodeDecodeError as error:
            raise RecordError(
                f"output record {done} or a later one is not {encoding}: {error.reason} "
                f"(byte 0x{error.object[error.start]:02x}); choose another output_encoding, "
                "encoding_errors='replace', or output_encoding=None for raw bytes"
            ) from None

    def _decode_lengths(self, blocks: Iterable[bytes]) -> Iterator[list[Any]]:
        held = bytearray()
        index = 0
        for block in blocks:
            held += block
            at = 0
            records = []
            while len(held) - at >= _LENGTH.size:
                (size,) = _LENGTH.unpack_from(held, at)
                end = at + _LENGTH.size + size
                if end > len(held):
                    break
                records.append(self._framed(bytes(held[at + _LENGTH.size : end]), index))
                index += 1
                at = end
            del held[:at]
            yield records
        if held:
            raise RecordError(
                f"output record {index} is cut short: the file ends {len(held)} bytes into it, so "
                "the command does not write the framing asked for"
            )

    def _framed(self, data: bytes, index: int) -> Record:
        if self.encoding is None:
            return data
        try:
            return data.decode(self.encoding, self.errors)
        except UnicodeDecodeError as error:
            raise RecordError(
                f"output record {index} is not {self.encoding}: {error.reason}"
            ) from None


def _batches(records: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield records in lists of about BLOCK bytes, however large or small they are.

    Their sizes are looked at some at a time, first one, then up to 64: what lies in a list is
    bounded by 64 times the largest record that follows on small ones.
    """
    iterator = iter(records)
    batch: list[Any] = []
    size, step = 0, 1
    while True:
        few = list(islice(iterator, step))
        if not few:
            break
        batch += few
        length = _size(few)
        size += length
        step = 1 if length >= BLOCK else min(64, step * 2)
        if size >= BLOCK or len(batch) >= _MOST_RECORDS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _size(records: list[Any]) -> int:
    try:
        return sum(map(len, records))
    except TypeError:
        return 0  # no text and no bytes: refused where it is joined


def _texts(blocks: Iterable[bytes], decoder: codecs.IncrementalDecoder) -> Iterator[str]:
    for block in blocks:
        yield decoder.decode(block)
    yield decoder.decode(b"", True)


def _split(blocks: Iterable[Any], delimiter: Any, empty: Any) -> Iterator[list[Any]]:
    """Split a stream at ``delimiter`` and yield the records that each block completes.

    What is left of a block is kept as parts and joined once its delimiter comes, so that one
    record of many blocks costs no more than its size.
    """
    parts: list[Any] = []
    overlap = len(delimiter) - 1
    for block in blocks:
        if not block:
            continue
        # The delimiter may lie across the boundary: look at the seam with what is held.
        seam = _tail(parts, overlap, empty) + block if parts and overlap else block
        records = seam.split(delimiter)
        last = records.pop()
        if not records:
            parts.append(last)
            continue
        if parts:
            records[0] = empty.join([*parts, records[0]])
        parts = [last] if last else []
        yield records
    rest = empty.join(parts)
    if rest:
        yield [rest]


def _tail(parts: list[Any], size: int, empty: Any) -> Any:
    """Take the last ``size`` of what is held: a delimiter may lie across two blocks."""
    tail = empty
    while parts and len(tail) < size:
        last = parts.pop()
        cut = max(0, len(last) - (size - len(tail)))
        tail = last[cut:] + tail
        if cut:
            parts.append(last[:cut])
    return tail


def _splits_back(block: Any, delimiter: Any, batch: list[Any]) -> bool:
    """Tell whether splitting ``block`` gives ``batch`` again.

    Counting is enough unless the delimiter can overlap itself, as SDF's newline-$$$$-newline can.
    """
    if block.count(delimiter) != len(batch):
        return False
    overlaps = any(delimiter[:size] == delimiter[-size:] for size in range(1, len(delimiter)))
    return not overlaps or bool(block.split(delimiter)[:-1] == batch)


def _refuse_type(batch: list[Any], start: int, wanted: Any, name: str) -> None:
    for index, record in enumerate(batch, start):
        if not isinstance(record, wanted):
            raise RecordError(
                f"record {index} is {_brief(record)} of type {type(record).__name__}, but this "
                f"exchange takes {name}: map it to {name} first, or give a map_udf"
                + (" (encoding=None takes bytes)" if isinstance(record, bytes) else "")
            )


def _refuse_delimiter(batch: list[Any], start: int, delimiter: Any) -> None:
    for index, record in enumerate(batch, start):
        if delimiter in record:
            raise RecordError(
                f"record {index} ({_brief(record)}) contains the delimiter {delimiter!r}: choose "
                "another delimiter=, or framing='length'"
            )
    raise RecordError(
        f"records {start} to {start + len(batch) - 1} make up the delimiter {delimiter!r} across "
        "their borders: choose another delimiter=, or framing='length'"
    )


def _brief(record: Any) -> str:
    text = repr(record)
    return text if len(text) <= 80 else text[:77] + "..."
