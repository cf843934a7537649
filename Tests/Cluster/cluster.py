"""The cluster of scripts/trial-cluster: its commands, and the state of its nodes."""

import asyncio
import json
import os
import pathlib
import time

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


class Cluster:
    def __init__(self):
        self.network = os.environ["CLUSTER_NET"]
        self.port = int(os.environ["CLUSTER_PORT"])

    def address(self, node):
        return f"{self.network}.1{node}"

    async def do(self, *command, seconds=180):
        """Runs scripts/trial-cluster for up to some seconds, and returns its output."""
        process = await asyncio.create_subprocess_exec(
            CHECKOUT / "scripts/trial-cluster", *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        try:
            output, _ = await asyncio.wait_for(process.communicate(), seconds)
        except asyncio.TimeoutError:
            process.kill()
            raise RuntimeError(f"trial-cluster {command} takes longer than {seconds} s") from None
        if process.returncode:
            raise RuntimeError(f"trial-cluster {command}: {output.decode()}")
        return output.decode()

    async def tell(self, node):
        """The state that a node's Patroni reports; empty if it is unreachable."""
        try:
            return await asyncio.wait_for(self.get(node), 1)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError):
            return {}

    async def get(self, node):
        reader, writer = await asyncio.open_connection(self.address(node), 8008)
        try:
            writer.write(b"GET /patroni HTTP/1.0\r\n\r\n")
            return json.loads((await reader.read()).split(b"\r\n\r\n", 1)[1])
        finally:
            writer.close()

    async def primary(self, of=(1, 2, 3)):
        for node, said in zip(of, await asyncio.gather(*map(self.tell, of))):
            if said.get("role") in ("master", "primary") and said.get("state") == "running":
                return node
        return None

    async def whole(self):
        """The primary, if the cluster is complete: both others are streaming replicas in its synchronous quorum."""
        said = await asyncio.gather(*map(self.tell, (1, 2, 3)))
        primaries = [node for node in (1, 2, 3) if said[node - 1].get("role") in ("master", "primary")]
        if len(primaries) != 1 or any(one.get("state") != "running" for one in said) or len({one.get("timeline") for one in said}) != 1:
            return None
        standbys = [one["sync_state"] for one in said[primaries[0] - 1].get("replication", []) if one["state"] == "streaming"]
        return primaries[0] if standbys == ["quorum", "quorum"] else None

    async def until(self, seconds, what, condition):
        end = time.monotonic() + seconds
        while not (holds := await condition()):
            if time.monotonic() > end:
                raise RuntimeError(f"{what}: timed out after {seconds} s")
            await asyncio.sleep(0.1)
        return holds

    async def rows(self, prefix):
        """The ids of each name, on the primary."""
        ids = {}
        for line in (await self.do("query", f"SELECT id || ' ' || name FROM campaign WHERE name LIKE '{prefix}%'")).splitlines():
            identifier, name = line.split()
            ids.setdefault(name, []).append(int(identifier))
        return ids

    async def commit(self, node):
        """Commits a change on a node, without the API."""
        process = await asyncio.create_subprocess_exec(
            "psql", "-X", "-q", "-h", self.address(node), "-U", "postgres", "-d", "postgres", "-c", "SET lock_timeout = '20s'",
            "-c", "COMMENT ON DATABASE postgres IS 'changed by make test-cluster'", stdout=asyncio.subprocess.DEVNULL,
            env=os.environ | {"PGPASSWORD": pathlib.Path(os.environ["CLUSTER_DIR"], "password").read_text(), "PGCONNECT_TIMEOUT": "5"})
        try:
            await asyncio.wait_for(process.wait(), 30)
        except asyncio.TimeoutError:
            process.kill()
        return process.returncode == 0
