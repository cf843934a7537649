"""The nginx in front of the stacks: with the shipped configuration, and with a minimal ("bare") one."""
import os
import shutil

from machine import ROOT, fail, free_port, last_line, output, start
from stacks import THREADS

# The FastCGI parameters and the keep-alive settings of the shipped configuration.
PARAMETERS = {
    "REQUEST_METHOD": "$request_method", "REQUEST_URI": "$request_uri", "REQUEST_SCHEME": "$scheme",
    "CONTENT_TYPE": "$content_type", "CONTENT_LENGTH": "$content_length", "SERVER_NAME": "$server_name", "SERVER_PORT": "$server_port",
}
FASTCGI = "".join(f"fastcgi_param {name} {value}; " for name, value in PARAMETERS.items()) + (
    "fastcgi_keep_conn on; fastcgi_buffers 16 16k; fastcgi_max_temp_file_size 0; fastcgi_pass {upstream};")
KEEPALIVE = "keepalive 64; keepalive_requests 100000; keepalive_time 1s; keepalive_timeout 500ms;"

# A keep-alive connection occupies a thread. All of nginx's workers together keep at most half as many connections as there are threads,
# so that threads are left for new ones.
KEEPALIVE_FOR_THREADS = KEEPALIVE.replace("keepalive 64", f"keepalive {max(1, THREADS // 2 // os.cpu_count())}")

# How nginx passes requests to a stack: over FastCGI to event loops or to threads that each serve one connection, or over HTTP.
PASSES = {
    "fastcgi-loops": (KEEPALIVE, FASTCGI),
    "fastcgi-threads": (KEEPALIVE_FOR_THREADS, FASTCGI),
    "http": (KEEPALIVE, 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_buffers 16 16k; '
             "proxy_max_temp_file_size 0; proxy_pass http://{upstream};"),
}


class Front:
    """A running nginx."""

    def run(self, config, log):
        self.log = log
        self.process = start("nginx", "-c", config, "-e", log, "-g", "daemon off;", log=log)

    def check(self):
        if self.process.poll() is not None:
            fail(f"nginx is not running: {last_line(self.log)}")


class Shipped(Front):
    """nginx with the API's shipped configuration."""

    def __init__(self, directory):
        self.port = free_port()
        config = output(ROOT / "scripts/nginx-config", directory / "nginx", self.port, directory).strip()
        self.access_log = directory / "nginx/access.log"
        self.run(config, directory / "nginx/nginx-error.log")

    def empty_log(self):
        """Truncates the access log, which has a line for each request."""
        if self.access_log.exists():
            os.truncate(self.access_log, 0)


class Bare(Front):
    """nginx with a minimal configuration and a port for each stack."""

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
        keepalive, passes = PASSES[stack.passes]
        parameters = "".join(f"fastcgi_param {name} {value}; " for name, value in stack.parameters.items())
        return (
            f"upstream {upstream} {{ server unix:{stack.socket}; {keepalive} }}\n"
            f"server {{ listen 127.0.0.1:{self.ports[stack.name]} backlog=1024; location / {{ {parameters}{passes.format(upstream=upstream)} }} }}\n")


def version():
    return output("sh", "-c", f"{shutil.which('nginx')} -v 2>&1").split("/")[-1].split()[0]
