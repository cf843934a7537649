"""Clients that write and read through every fault, and the responses that they got."""

import asyncio
import collections
import json
import random
import time

WRITERS, READERS = 50, 100
# The average pause between two requests of a client, in seconds: a moderate load, which does not keep the machine busy.
WRITER_PAUSE, READER_PAUSE = 0.3, 0.5
# nginx itself times out after 30 s, so a client that waits longer hangs.
PATIENCE = 33
# The position of a write that was acknowledged while the primary was lost (docs/cluster.md). Only a primary has it for certain, so
# the response is 503 while there is none.
UNKNOWN = "ffffffff-ffffffffffffffff"

Write = collections.namedtuple("Write", "name start end status id")
Read = collections.namedtuple("Read", "path start end status")


class Connection:
    """An HTTP/1.1 client of nginx, with one connection for all requests, or one for each."""

    def __init__(self, port, persistent):
        self.port, self.persistent = port, persistent
        self.reader = self.writer = None
        # The header fields of the last response, by lowercase name.
        self.fields = {}

    async def ask(self, method, path, body=b"", fields={}):
        """Sends a request. Returns the status and the body; instead of the status, a string if there was no response."""
        try:
            status, data = await asyncio.wait_for(self.exchange(method, path, body, fields), PATIENCE)
        except asyncio.TimeoutError:
            status, data = "hung", b""
        except (OSError, EOFError, ValueError) as error:
            status, data = f"broken: {error!r}", b""
        if not self.persistent or isinstance(status, str):
            self.close()
        return status, data

    async def exchange(self, method, path, body, sent):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: {'keep-alive' if self.persistent else 'close'}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.writer.write(head.encode() + b"\r\n" + body)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        fields = self.fields = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)
        if fields.get(b"transfer-encoding") == b"chunked":
            data = b""
            while size := int(await self.reader.readline(), 16):
                data += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        else:
            data = await self.reader.readexactly(int(fields[b"content-length"]))
        return int(lines[0].split()[1]), data

    def close(self):
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None


class Load:
    def __init__(self, port, seed, writers=WRITERS, readers=READERS):
        self.port = port
        self.random = random.Random(seed)
        self.writes, self.reads = [], []
        self.acknowledged, self.waiting = [], 0
        self.prefix = f"{seed}-"
        self.ends = False
        self.tasks = [self.go_on(self.write, WRITER_PAUSE, number) for number in range(writers)]
        self.tasks += [self.go_on(self.read, READER_PAUSE, number) for number in range(readers)]
        self.tasks = [asyncio.ensure_future(task) for task in self.tasks]

    async def stop(self):
        self.ends = True
        await asyncio.gather(*self.tasks)

    async def go_on(self, act, pause, number):
        # Half of the clients keep their connection alive, as browsers and services do.
        connection = Connection(self.port, persistent=number % 2 == 0)
        count = 0
        while not self.ends:
            await asyncio.sleep(self.random.uniform(0.5, 1.5) * pause)
            count += 1
            await act(connection, f"{self.prefix}{number}-{count}")
        connection.close()

    async def write(self, connection, name):
        start = time.monotonic()
        status, data = await connection.ask("POST", "/campaigns/", json.dumps({"name": name}).encode())
        identifier = json.loads(data)["id"] if status == 201 else None
        self.writes.append(Write(name, start, time.monotonic(), status, identifier))
        if status == 201:
            self.acknowledged.append((identifier, connection.fields.get(b"x-database-position", b"").decode()))

    async def read(self, connection, _):
        path, position = "/campaigns/?limit=5&sort=-id", ""
        if self.acknowledged and self.random.random() < 0.7:
            identifier, position = self.random.choice(self.acknowledged)
            path = f"/campaigns/{identifier}"
        start = time.monotonic()
        # A client that learns of a row from another one also gets its position, without which the row may not be visible yet.
        status, _ = await connection.ask("GET", path, fields={"X-Database-Position": position})
        if status == 503 and position == UNKNOWN:
            self.waiting += 1
        else:
            self.reads.append(Read(path, start, time.monotonic(), status))


def kind_of(status):
    """The outcome of a write: 201 is done, 503 is not done, 502 and 504 are unknown; anything else is wrong."""
    return {201: "done", 503: "not done", 502: "unknown", 504: "unknown"}.get(status, "wrong")
