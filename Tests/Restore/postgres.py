"""The Postgres servers that are backed up, lost and restored."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

from commands import output, run


class Cluster:
    """A Postgres cluster of scripts/cluster, in the drill's directory, with a separate role for pgBackRest."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder, name)
        self.data = self.folder / "data"
        self.host = None

    def start(self, *settings):
        options = [option for setting in settings for option in ("--set", setting)]
        command = ["scripts/cluster", "start", self.folder, "--watch", os.getpid(), "--synced", *options]
        done = run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.host = done.stdout.strip()
        return done.returncode == 0

    def runs(self):
        return run(["scripts/cluster", "running", self.folder]).returncode == 0

    def stop(self):
        run(["scripts/cluster", "stop", self.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def sql(self, text, **options):
        return output(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.host, "-U", "postgres", "-c", text], **options,
                      env=os.environ | {"PGTZ": "UTC", "PGCONNECT_TIMEOUT": "10"})

    def recovers(self, seconds=60):
        """Waits for the end of recovery. Returns whether it was reached; otherwise, the server has stopped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(subprocess.CalledProcessError):
                if self.sql("SELECT pg_is_in_recovery()", stderr=subprocess.DEVNULL) == "f":
                    return True
            if not self.runs():
                return False
            time.sleep(0.1)
        return False

    def log(self):
        return (self.folder / "postgres.log").read_text()

    def tables(self):
        """All rows of all tables, as sorted text."""
        tables = self.sql("SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        return {table: self.sql(f"SELECT t FROM {table} t ORDER BY t::text COLLATE \"C\"").splitlines() for table in tables.splitlines()}

    def sequences(self):
        rows = self.sql("SELECT sequencename || ' ' || coalesce(last_value, 0) FROM pg_sequences").splitlines()
        return {name: int(value) for name, value in map(str.split, rows)}

    def campaigns(self):
        rows = self.sql("SELECT id || ' ' || name FROM campaign").splitlines()
        return {int(key): name for key, name in (row.split(" ", 1) for row in rows)}

    def kill(self):
        """Kills all processes like a power failure: nothing is finished or archived."""
        lines = (self.data / "postmaster.pid").read_text().split("\n")
        processes, memory = [int(lines[0])], lines[6].split()
        for process in processes:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                os.kill(process, signal.SIGSTOP)
                processes += map(int, pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split())
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        killed = time.monotonic()
        while any(pathlib.Path(f"/proc/{process}").exists() for process in processes) and time.monotonic() < killed + 10:
            time.sleep(0.01)
        # Removes the shared memory segment, which otherwise only a restart of this server would do.
        run(["ipcrm", "-m", memory[1]], stderr=subprocess.DEVNULL)
        return killed
