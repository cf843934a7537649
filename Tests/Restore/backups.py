"""pgBackRest, in a temporary directory."""

import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess

from commands import CHECKOUT

STANZA = "aktify"
# archive_timeout, in seconds: how long a WAL segment may wait before it is archived. In production it is 60 or more.
ARCHIVE_TIMEOUT = 5


class Backups:
    """pgBackRest, run as the owner of the data, with all its files in the drill's directory."""

    def __init__(self, folder, owner):
        self.folder, self.owner = pathlib.Path(folder), owner
        self.repository = self.folder / "repository"
        self.passphrase = secrets.token_hex(24)
        for name in ("repository", "lock", "log", "spool"):
            self.own(self.folder / name)

    def own(self, folder):
        folder.mkdir(mode=0o750, exist_ok=True)
        shutil.chown(folder, *self.owner)

    def configuration(self, cluster):
        return self.folder / f"{cluster.folder.name}.conf"

    def configure(self, cluster):
        """Writes the configuration for a cluster, with its data directory."""
        path = self.configuration(cluster)
        path.write_text(f"""\
[global]
repo1-path={self.repository}
repo1-retention-full=2
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass={self.passphrase}
compress-type=zst
start-fast=y
lock-path={self.folder}/lock
log-path={self.folder}/log
spool-path={self.folder}/spool

[{STANZA}]
pg1-path={cluster.data}
pg1-user=postgres
""")
        path.chmod(0o600)
        shutil.chown(path, *self.owner)

    def archiving(self, cluster):
        """The settings of a cluster with WAL archiving."""
        command = f"pgbackrest --config={self.configuration(cluster)} --stanza={STANZA} archive-push %p"
        return ["archive_mode=on", f"archive_command={command}", f"archive_timeout={ARCHIVE_TIMEOUT}"]

    def run(self, cluster, *command):
        """Runs a pgBackRest command for a cluster. Returns its exit status and its output."""
        socket = [f"--pg1-socket-path={cluster.host}"] if cluster.host and command[0] in ("stanza-create", "check", "backup") else []
        return self.execute("pgbackrest", f"--config={self.configuration(cluster)}", f"--stanza={STANZA}", *socket, *command)

    def find_faults(self, cluster, repository):
        """Runs scripts/check-backups on a repository."""
        self.configure(cluster)
        # Passed on standard input, since the user may not be able to read the checkout.
        with open(CHECKOUT / "scripts/check-backups") as script:
            options = [f"--config={self.configuration(cluster)}", f"--repo1-path={repository}"]
            return self.execute("bash", "-s", "--", STANZA, *options, input=script)

    def execute(self, *command, input=subprocess.DEVNULL):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PGBACKREST_", "PG"))}
        rights = {"user": self.owner[0], "group": self.owner[1], "extra_groups": []} if os.getuid() == 0 else {}
        process = subprocess.Popen(command, cwd="/", env=environment, stdin=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, start_new_session=True, **rights)
        try:
            said = process.communicate(timeout=120)[0]
            return process.returncode, said.strip()
        except BaseException:
            # With its child processes.
            os.killpg(process.pid, signal.SIGKILL)
            raise

    def must(self, cluster, *command):
        status, said = self.run(cluster, *command)
        if status:
            raise RuntimeError(f"pgbackrest {' '.join(command)} exited with {status}: {said}")
        return said

    def info(self, cluster):
        return json.loads(self.must(cluster, "info", "--output=json"))[0]["backup"]

    def segments(self, repository=None):
        """The complete segments in the archive, by name."""
        paths = (repository or self.repository).glob(f"archive/{STANZA}/*/*/*")
        return {path.name[:24]: path for path in paths if re.fullmatch(r"[0-9A-F]{24}-[0-9a-f]{40}(\.\w+)?", path.name)}

    def restore(self, cluster, *options):
        """Restores into the directory of a new cluster. Returns the exit status and the output."""
        self.own(cluster.folder)
        cluster.folder.chmod(0o755)
        self.configure(cluster)
        return self.run(cluster, *options, "restore")
