"""Clients that write during backups, and the responses that they got."""

import collections
import contextlib
import http.client
import json
import random
import secrets
import threading
import time

WRITERS = 8

Write = collections.namedtuple("Write", "time position name")


class Writers:
    """Clients that each create, change and delete their own campaigns, and record the outcomes."""

    def __init__(self, url):
        self.address = url.split("//")[1]
        # The acknowledged writes, by campaign; and those with an unknown outcome, by campaign, or by name for a creation.
        self.histories, self.unknown, self.unknown_names = collections.defaultdict(list), collections.defaultdict(set), set()
        self.failed = []
        self.is_excused = self.ends = False
        self.locks = [threading.Lock() for _ in range(WRITERS)]
        self.threads = [threading.Thread(target=self.go_on, args=(number,), daemon=True) for number in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    @contextlib.contextmanager
    def paused(self):
        with contextlib.ExitStack() as stack:
            for lock in self.locks:
                stack.enter_context(lock)
            yield

    def stop(self):
        self.ends = True
        for thread in self.threads:
            thread.join(30)

    @property
    def count(self):
        return sum(map(len, list(self.histories.values())))

    def go_on(self, number):
        chooser, own, count = random.Random(number), [], 0
        while not self.ends:
            count += 1
            with self.locks[number]:
                self.write(f"{secrets.token_hex(4)} {number} {count}", chooser, own)
            time.sleep(chooser.uniform(0.005, 0.03))

    def write(self, name, chooser, own):
        choice = chooser.random()
        fields = {"Content-Type": "application/json"}
        if choice < 0.6 or not own:
            method, path, key = "POST", "/campaigns/", None
            if choice < 0.3:
                fields["Idempotency-Key"] = name.replace(" ", "-")
        else:
            key = chooser.choice(own)
            method, path = ("PATCH" if choice < 0.9 else "DELETE"), f"/campaigns/{key}"
        body = None if method == "DELETE" else json.dumps({"name": name, "description": "x" * chooser.randrange(400)})
        name = None if method == "DELETE" else name
        connection = http.client.HTTPConnection(self.address, timeout=33)
        try:
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            status, data = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            status, data = repr(error), b""
        finally:
            connection.close()
        if status in (200, 201, 204):
            if method == "POST":
                key = json.loads(data)["id"]
                own.append(key)
            self.histories[key].append(Write(time.monotonic(), answer.headers["X-Database-Position"], name))
        elif not self.is_excused:
            self.failed.append(f"{method} {path}: {status} {data[:200]}")
        elif key is None:
            self.unknown_names.add(name)
        else:
            self.unknown[key].add(name)
        if method == "DELETE" or not isinstance(status, int) or status >= 400:
            with contextlib.suppress(ValueError):
                own.remove(key)
