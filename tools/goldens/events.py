#!/usr/bin/env python3
"""Writes train/logging/testdata/events.tfevents: events by TensorBoard's own writer, at time 1000.5.

Needs tensorboard.
"""

import pathlib
import struct
import zlib

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIME = 1000.5


def png(width, height):
    """A black RGB picture."""
    def chunk(name, data):
        return (struct.pack(">I", len(data)) + name + data
                + struct.pack(">I", zlib.crc32(name + data)))
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes((3 * width + 1) * height), 9))
            + chunk(b"IEND", b""))


def main():
    value = summary_pb2.Summary.Value
    session = event_pb2.SessionLog
    image = summary_pb2.Summary.Image(
        height=2, width=3, colorspace=3, encoded_image_string=png(3, 2))
    folder = ROOT / "train/logging/testdata"
    (folder / "black.png").write_bytes(png(3, 2))
    events = [
        event_pb2.Event(wall_time=TIME, file_version="brain.Event:2"),
        event_pb2.Event(wall_time=TIME, step=41,
                        session_log=session(status=session.START)),
        event_pb2.Event(wall_time=TIME, step=60, summary=summary_pb2.Summary(value=[
            value(tag="loss/total", simple_value=41.5),
            value(tag="lr", simple_value=1e-4),
            value(tag="größe", simple_value=float("-inf"))])),
        event_pb2.Event(wall_time=TIME, step=60, summary=summary_pb2.Summary(value=[
            value(tag="val/overlay", image=image)])),
        event_pb2.Event(wall_time=TIME, step=3_000_000_000, summary=summary_pb2.Summary(value=[
            value(tag="loss/total", simple_value=0.0)])),
    ]
    with open(folder / "events.tfevents", "wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString())
        writer.flush()


if __name__ == "__main__":
    main()
