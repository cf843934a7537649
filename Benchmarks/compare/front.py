"""nginx: as it is shipped, and bare, with nothing in it that a stack does not need."""
import os
import shutil

from machine import ROOT, fail, free_port, last_line, output, start
from stacks import THREADS

# What the shipped configuration passes, and how long it keeps connections.
PARAMETERS = {
    "REQUEST_METHOD": "$request_method", "REQUEST_URI": "$request_uri", "REQUEST_SCHEME": "$scheme",
    "CONTENT_TYPE": "$content_type", "CONTENT_LENGTH": "$content_length", "SERVER_NAME": "$server_name", "SERVER_PORT": "$server_port",
}
FASTCGI = "".join(f"fastcgi_param {name} {value}; " for name, value in PARAMETERS.items()) + (
    "fastcgi_keep_conn on; fastcgi_buffers 16 16k; fastcgi_max_temp_file_size 0; fastcgi_pass {upstream};")
KEPT = "keepalive 64; keepalive_requests 100000; keepalive_time 1s; keepalive_timeout 500ms;"

# A kept connection has its thread for itself: nginx's workers together keep half of the threads, so that others are free for new ones.
KEPT_BY_THREADS = KEPT.replace("keepalive 64", f"keepalive {max(1, THREADS // 2 // os.cpu_count())}")

# How a stack is asked: over FastCGI, by loops or by threads that each serve one connection, or over HTTP.
PASSES = {
    "fastcgi-loops": (KEPT, FASTCGI),
    "fastcgi-threads": (KEPT_BY_THREADS, FASTCGI),
    "http": (KEPT, 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_buffers 16 16k; '
             "proxy_max_temp_file_size 0; proxy_pass http://{upstream};"),
}


class Front:
    """An nginx that runs."""

    def run(self, config, log):
        self.log = log
        self.process = start("nginx", "-c", config, "-e", log, "-g", "daemon off;", log=log)

    def check(self):
        if self.process.poll() is not None:
            fail(f"nginx does not run: {last_line(self.log)}")


class Shipped(Front):
    """The API's own nginx."""

    def __init__(self, directory):
        self.port = free_port()
        config = output(ROOT / "scripts/nginx-config", directory / "nginx", self.port, directory).strip()
        self.access_log = directory / "nginx/access.log"
        self.run(config, directory / "nginx/nginx-error.log")

    def empty_log(self):
        """It has a line for each request."""
        if self.access_log.exists():
            os.truncate(self.access_log, 0)


class Bare(Front):
    """One nginx with a port for each stack."""

    def __init__(self, directory, stacks):
        self.ports = {stack.name: free_port() for stack in stacks}
        folder = directory / "bare"
        folder.mkdir()
        config = folder / "nginx.conf"
        config.write_text(self._text(folder, stacks))
        self.run(config, folder / "error.log")

    def _text(self, folder, stacks):
        user = "user root;" if os.getuid() == 0 else ""
        paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "fastcgi", "proxy", "uwsgi", "scgi"))
        servers = "".join(self._server(stack) for stack in stacks)
        return (
            f"worker_processes auto; pid {folder}/pid; error_log {folder}/error.log; {user}\n"
            "worker_rlimit_nofile 8192; events { worker_connections 4096; }\n"
            f"http {{ access_log off; tcp_nopush on; keepalive_requests 100000; client_body_buffer_size 64k; {paths}\n{servers}}}\n")

    def _server(self, stack):
        upstream = "to_" + "".join(letter if letter.isalnum() else "_" for letter in stack.name)
        kept, passes = PASSES[stack.passes]
        parameters = "".join(f"fastcgi_param {name} {value}; " for name, value in stack.parameters.items())
        return (
            f"upstream {upstream} {{ server unix:{stack.socket}; {kept} }}\n"
            f"server {{ listen 127.0.0.1:{self.ports[stack.name]} backlog=1024; location / {{ {parameters}{passes.format(upstream=upstream)} }} }}\n")


def version():
    return output("sh", "-c", f"{shutil.which('nginx')} -v 2>&1").split("/")[-1].split()[0]
