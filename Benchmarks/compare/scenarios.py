"""The scenarios: the requests that are measured."""
import dataclasses
import json

from database import ROWS

NEW = json.dumps({"name": "Spring sale", "description": "20 % off, until the end of the month"}).encode()


def http(method, target, body=b"", **headers):
    """An HTTP/1.1 request as sent over the connection."""
    fields = {"Host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body:
        fields["Content-Length"] = len(body)
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body


@dataclasses.dataclass
class Scenario:
    """Requests of one kind. `errors` means that error responses are expected, `changes` that the requests change the table."""

    name: str
    requests: list
    about: str = ""
    errors: bool = False
    changes: bool = False
    # The number of campaigns that the table must have.
    rows: int = ROWS
    # The file with the requests for the load generators, once written.
    file: object = None

    def write(self, directory):
        self.file = directory / (self.name.replace(" ", "-").replace("/", "-") + ".requests")
        self.file.write_bytes(b"".join(b"%d\n%s\n" % (len(request), request) for request in self.requests))
        return self


def get_one(rows=ROWS, name="GET one"):
    """Random campaigns; in a large table, out of 1,000 that are evenly distributed."""
    ids = range(1, rows + 1, max(1, rows // ROWS))
    return Scenario(name, [http("GET", f"/campaigns/{id}") for id in ids], f"a random campaign out of {ROWS:,}")


def list_of_100(name="list of 100"):
    return Scenario(name, [http("GET", "/campaigns/?limit=100")], "the first 100 campaigns")


def compared():
    post = Scenario("POST", [http("POST", "/campaigns/", NEW, Content_Type="application/json")], "a new campaign, committed", changes=True)
    return [get_one(), list_of_100(), post]


def alone():
    """The scenarios that only the API is measured with."""
    condition = {"If_None_Match": '"1"'}
    return [
        Scenario("page of 1,000", [http("GET", "/campaigns/?limit=1000")], "all 1,000 campaigns as one page"),
        Scenario(
            "q=", [http("GET", f"/campaigns/?q=campaign%20{number}&limit=100") for number in range(10, 100)],
            "a search in names that finds 11 of 1,000"),
        Scenario("304", [http("GET", f"/campaigns/{id}", **condition) for id in range(1, ROWS + 1)], "GET one with If-None-Match, not modified"),
        Scenario("404", [http("GET", f"/campaigns/{id}") for id in range(900_000, 901_000)], "a campaign that does not exist", errors=True),
        # So many campaigns that none is updated again while its previous update is in progress.
        Scenario("PATCH", [], "a new name, with If-Match", changes=True, rows=20_000),
    ]
