"""A Prometheus with the example configuration, which asks one stack every second."""

import contextlib
import json
import pathlib
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from stack import CHECKOUT, free_port

EXAMPLE = CHECKOUT / "docs/monitoring/prometheus.yml"


class Prometheus:
    def __init__(self, stack):
        self.folder = pathlib.Path(stack.folder) / "prometheus"
        self.folder.mkdir()
        text = EXAMPLE.read_text()
        for old, new in (("localhost:5051", stack.url.removeprefix("http://")), (" 15s", " 1s"),
                         ("- alerts.yml", f"- {EXAMPLE.parent / 'alerts.yml'}")):
            if old not in text:
                raise RuntimeError(f"{EXAMPLE} has no {old} any more")
            text = text.replace(old, new)
        (self.folder / "prometheus.yml").write_text(text)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                   f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/-/ready", timeout=1)
                return
            time.sleep(0.1)
        raise RuntimeError(f"Prometheus does not start: {(self.folder / 'log').read_text()[-2000:]}")

    def close(self):
        self.process.terminate()
        self.process.wait(20)

    def get(self, path, **parameters):
        """The data of an answer.

        Raises RuntimeError with Prometheus's own words when it answers with an error."""
        try:
            answer = urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        body = json.load(answer)
        if body["status"] != "success":
            raise RuntimeError(body["error"])
        return body["data"]

    def numbers(self, expression):
        """The values that an expression has now; what is not a number does not count."""
        data = self.get("query", query=expression)
        pairs = [data["result"]] if data["resultType"] == "scalar" else [sample["value"] for sample in data["result"]]
        values = [float(value) for _, value in pairs]
        return [value for value in values if value == value]

    def alerts(self):
        """The states of the alerts that are pending or firing, by their names."""
        return {alert["labels"]["alertname"]: alert["state"] for alert in self.get("alerts")["alerts"]}

    def rules(self):
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]
