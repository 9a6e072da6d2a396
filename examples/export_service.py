"""Backups over HTTP: an asyncio service that streams images and diffs, with bounded memory.

    GET  /images                            the images, one a line
    POST /images/NAME/snapshots/SNAP        takes a snapshot
    GET  /images/NAME?at=SNAP               the content, byte for byte
    GET  /images/NAME/diff?from=S1&to=S2    what changed (without from: all data): for each extent a
                                            line "OFFSET LENGTH 1" and LENGTH bytes, or "OFFSET
                                            LENGTH 0" for a hole; the line "end" says it is all

SIGTERM or Ctrl-C: no new clients; those there are have --grace seconds to finish. A client that
goes away, or reads nothing for a minute, ends its stream and closes its image.

usage: python examples/export_service.py [--pool NAME] [--port N] [--grace SECONDS]

The cluster is that of $CEPH_CONF; without it, a throwaway one with an image to try it on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import ExitStack
from urllib.parse import parse_qs, unquote, urlsplit

from rbdcffi import aio, rbd
from rbdcffi.testing import Cluster

MIB = 1 << 20
#: Clients that are served at once; the others wait. Each takes CHUNK * IN_FLIGHT of memory.
CLIENTS = 16
CHUNK = 1 * MIB
IN_FLIGHT = 4
#: Seconds a client may take to ask, and to read what it was sent.
PATIENCE = 60


class Refused(Exception):
    """What was asked for is not there to be had."""


class Answer:
    """What goes to a client, at the client's pace."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.begun = False

    async def begin(self, status: str = "200 OK", length: int | None = None) -> None:
        self.begun = True
        self._writer.write(f"HTTP/1.0 {status}\r\n".encode())
        if length is not None:
            self._writer.write(b"Content-Length: %d\r\n" % length)
        await self.send(b"\r\n")

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        # no more is read from the image meanwhile
        await asyncio.wait_for(self._writer.drain(), PATIENCE)


class Service:
    """Serves the images of a pool."""

    def __init__(self, ioctx: aio.Ioctx) -> None:
        self._ioctx = ioctx
        self._places = asyncio.Semaphore(CLIENTS)
        #: one for each client
        self.tasks: set[asyncio.Task[None]] = set()

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            method, target = await asyncio.wait_for(_request(reader), PATIENCE)
            async with self._places:
                await self._serve(method, target, Answer(writer))
        except (ConnectionError, EOFError, asyncio.TimeoutError):
            writer.transport.abort()  # it left, or reads nothing
        except (rbd.Error, asyncio.CancelledError):
            writer.transport.abort()  # it was promised more
            raise
        finally:
            self.tasks.discard(task)
            writer.close()

    async def _serve(self, method: str, target: str, answer: Answer) -> None:
        try:
            await self._do(method, target, answer)
        except (Refused, rbd.ImageNotFound, rbd.ImageExists, rbd.InvalidArgument) as error:
            if answer.begun:
                raise
            found = isinstance(error, (rbd.ImageExists, rbd.InvalidArgument))
            await answer.begin("400 Bad Request" if found else "404 Not Found")
            await answer.send(f"{error}\n".encode())

    async def _do(self, method: str, target: str, answer: Answer) -> None:
        url = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        path = [unquote(part) for part in url.path.strip("/").split("/")]
        if (method, path) == ("GET", ["images"]):
            names = await aio.RBD().list(self._ioctx)
            await answer.begin()
            await answer.send("".join(f"{name}\n" for name in names).encode())
        elif method == "POST" and len(path) == 4 and path[2] == "snapshots":
            async with aio.Image(self._ioctx, path[1]) as image:
                await image.create_snap(path[3])
            await answer.begin("201 Created")
        elif method == "GET" and len(path) == 2:
            async with self._open(path[1], query.get("at")) as image:
                size = await image.size()
                await answer.begin(length=size)
                await _send(image, 0, size, answer)
        elif method == "GET" and path[2:] == ["diff"]:
            async with self._open(path[1], query.get("to")) as image:
                async with image.diff(0, await image.size(), query.get("from")) as extents:
                    async for offset, length, exists in extents:
                        if not answer.begun:
                            await answer.begin()
                        await answer.send(b"%d %d %d\n" % (offset, length, exists))
                        if exists:
                            await _send(image, offset, length, answer)
                if not answer.begun:
                    await answer.begin()
                await answer.send(b"end\n")
        else:
            raise Refused(f"{method} {target}: no such thing")

    def _open(self, name: str, snapshot: str | None) -> aio.Image:
        return aio.Image(self._ioctx, name, snapshot=snapshot, read_only=True, engine="completions")


async def _send(image: aio.Image, offset: int, length: int, answer: Answer) -> None:
    async for chunk in image.read_chunks(offset, length, chunk=CHUNK, in_flight=IN_FLIGHT):
        await answer.send(chunk)


async def _request(reader: asyncio.StreamReader) -> tuple[str, str]:
    """Method and target; the headers are of no use here."""
    line = (await reader.readline()).split()
    while (await reader.readline()).strip():
        pass
    if len(line) != 3:
        raise EOFError
    return line[0].decode("latin-1"), line[1].decode("latin-1")


async def serve(conf: str, pool: str, port: int, grace: float) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # with op_timeout a cluster that hangs is an error, not a service that hangs
    async with aio.Rados(conffile=conf, op_timeout=60) as cluster:
        async with cluster.open_ioctx(pool) as ioctx:
            service = Service(ioctx)
            server = await asyncio.start_server(service.client, "127.0.0.1", port)
            address = server.sockets[0].getsockname()
            print(f"serving pool {pool} at http://127.0.0.1:{address[1]}/images", flush=True)
            await stop.wait()
            server.close()
            print(f"stopping; {len(service.tasks)} clients have {grace:g} s", flush=True)
            if service.tasks:
                _, late = await asyncio.wait(service.tasks, timeout=grace)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
                print(f"cut off {len(late)} clients", flush=True)
    print("stopped", flush=True)


async def make_example(conf: str, pool: str) -> None:
    """An image to try it on."""
    async with aio.Rados(conffile=conf) as cluster, cluster.open_ioctx(pool) as ioctx:
        await aio.RBD().create(ioctx, "example", 64 * MIB)
        async with aio.Image(ioctx, "example") as image, image.writer() as writer:
            for place in range(0, 64, 8):
                await writer.write(os.urandom(MIB), place * MIB)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves images and diffs over HTTP.")
    parser.add_argument("--pool", default="rbd")
    parser.add_argument("--port", type=int, default=0, help="default: one that is free")
    parser.add_argument("--grace", type=float, default=10, help="seconds; default: 10")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        conf = os.environ.get("CEPH_CONF")
        if conf is None:
            print("no CEPH_CONF: starting a throwaway cluster", file=sys.stderr)
            conf = stack.enter_context(Cluster(pools=[arguments.pool])).conf
            asyncio.run(make_example(conf, arguments.pool))
        asyncio.run(serve(conf, arguments.pool, arguments.port, arguments.grace))


if __name__ == "__main__":
    main()
