"""The whole stack: nginx, the master, a worker and Postgres, on a free port and in a temporary directory."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = str(CHECKOUT / ".build/release/aktify")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    def __init__(self, auth="off"):
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o755)
        cluster = ["scripts/cluster", "start", f"{self.folder}/cluster", "--watch", str(os.getpid())]
        host = subprocess.run(cluster, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.strip()
        settings = {"HOST": host, "PORT": "5432", "USER": "postgres", "DB": "postgres", "PASSWORD": ""}
        self.environment = os.environ | {f"POSTGRES_{name}": value for name, value in settings.items()}
        self.environment |= {"LOG_LEVEL": "warning", "AUTH": auth}
        for name in ("DATABASE_URL", "DATABASE_URL_FILE", "POSTGRES_PASSWORD_FILE"):
            self.environment.pop(name, None)
        subprocess.run([PROGRAM, "db", "upgrade"], env=self.environment, cwd=CHECKOUT, check=True, capture_output=True)
        self.key = self.new_key("the tests", "admin") if auth == "keys" else None
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = ["scripts/nginx-config", f"{self.folder}/nginx", str(port), self.folder]
        config = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.strip()
        self.nginx = subprocess.Popen(["nginx", "-c", config, "-e", f"{self.folder}/nginx-error.log", "-g", "daemon off;"])
        self.start_api()

    def start_api(self):
        sockets = ["--listen", f"unix:{self.folder}/api.sock", "--status-listen", f"unix:{self.folder}/status.sock"]
        with open(f"{self.folder}/api.log", "ab") as log:
            self.api = subprocess.Popen(
                [PROGRAM, "serve", "--workers", "1", *sockets], env=self.environment, cwd=CHECKOUT, stdout=log, stderr=log)
        for _ in range(200):
            with contextlib.suppress(OSError):
                if self.ask("GET", "/readyz").status == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the API does not respond: see {self.folder}/api.log")

    def stop_api(self):
        self.api.terminate()
        self.api.wait(10)

    def close(self):
        self.stop_api()
        self.nginx.terminate()
        self.nginx.wait(10)
        subprocess.run(["scripts/cluster", "stop", f"{self.folder}/cluster"], cwd=CHECKOUT, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # API keys, with AUTH=keys.

    def run(self, *command):
        return subprocess.run(command, env=self.environment, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.strip()

    def new_key(self, name, role):
        return self.run(PROGRAM, "key", "create", "--name", name, "--role", role)

    def revoke(self, name):
        """Revokes a key, and waits until all workers reject it."""
        self.run(PROGRAM, "key", "revoke", name)
        time.sleep(1)

    # Requests to the API, in addition to those of the browser.

    def ask(self, method, path, body=None, key=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        if key := key or self.key:
            request.add_header("Authorization", f"Bearer {key}")
        return urllib.request.urlopen(request, timeout=10)

    def campaign(self, identifier):
        return json.load(self.ask("GET", f"/campaigns/{identifier}"))

    def campaigns(self):
        return json.load(self.ask("GET", "/campaigns/"))

    def change(self, identifier, key=None, **fields):
        return json.load(self.ask("PATCH", f"/campaigns/{identifier}", fields, key))

    def refill(self, campaigns):
        """Replaces all campaigns by these, and returns their ids."""
        self.ask("DELETE", "/campaigns/?id%5Bgt%5D=0")
        return [row["id"] for row in json.load(self.ask("POST", "/campaigns/", campaigns))] if campaigns else []
