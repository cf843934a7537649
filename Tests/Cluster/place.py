"""The environment of the nodes of a test: separate namespaces, if possible."""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).parent
sys.path[:0] = [str(FOLDER.parent / "Browser")]

from cluster import CHECKOUT
from stack import free_port


def can_have_namespaces():
    return os.getuid() == 0 and subprocess.run(["unshare", "--net", "ip", "link", "add", "nodes", "type", "bridge"], capture_output=True).returncode == 0


def main(script, inside):
    """Runs the script again in the environment of the nodes, where it calls `inside` to run the test."""
    if sys.argv[1:] == ["--inside"]:
        if os.environ.get("CLUSTER_NAMESPACES"):
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return inside()
    seed = os.environ.get("CLUSTER_SEED") or str(random.randrange(1_000_000))
    print(f"CLUSTER_SEED={seed}", flush=True)
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    os.environ |= {"CLUSTER_SEED": seed, "CLUSTER_DIR": folder, "CLUSTER_PORT": str(free_port()), "CLUSTER_NET": "127.0.77", "LOG_LEVEL": "info"}
    command = [sys.executable, "-B", script, "--inside"]
    if can_have_namespaces():
        # Everything runs in network and process namespaces, which end with their first process, whatever happens to this one. It is a
        # shell, because it must also reap orphans: Postgres takes a zombie process for a running one.
        os.environ |= {"CLUSTER_NAMESPACES": "1", "CLUSTER_NET": "10.77.0"}
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                   "bash", "-c", '"$@" & wait $!', "bash", *command]
    else:
        print("nodes cannot be cut off here: this requires root, and a kernel with network namespaces and bridges", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    test = subprocess.Popen(command)
    try:
        return test.wait()
    except KeyboardInterrupt:
        return 130
    finally:
        test.kill()
        test.wait()
        if not os.environ.get("CLUSTER_NAMESPACES"):
            subprocess.run([CHECKOUT / "scripts/trial-cluster", "down"], capture_output=True)
        keep_logs(pathlib.Path(folder), CHECKOUT / ".local/cluster-test" / pathlib.Path(script).stem)


def keep_logs(folder, kept):
    shutil.rmtree(kept, ignore_errors=True)
    for log in folder.rglob("*.log"):
        place = kept / log.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, place)
    # Some processes that were killed with their namespace may not have exited yet.
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
        time.sleep(0.1)
    print(f"logs are in {kept.relative_to(CHECKOUT)}")
