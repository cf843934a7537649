"""The temporary Postgres cluster that all stacks use, and its campaigns."""
import os
import pathlib

from machine import ROOT, output

ROWS = 1000
DESCRIPTION = "What the campaign is for, in a sentence of sixty bytes or so."
# The id of a row with characters that JSON must escape.
ESCAPED_ROW = 17


class Cluster:
    """A temporary cluster, which is removed when this process ends. It uses fsync, like a production one."""

    def __init__(self, directory):
        self.directory = directory / "cluster"

    def start(self):
        self.host = output(ROOT / "scripts/cluster", "start", self.directory, "--watch", os.getpid(), "--synced", "--set", "max_connections=1000").strip()
        # The table is vacuumed between runs, and never during one.
        self.sql("ALTER SYSTEM SET autovacuum = off", "postgres")
        self.sql("SELECT pg_reload_conf()", "postgres")
        data = pathlib.Path(self.sql("SHOW data_directory", "postgres"))
        self.pid = int((data / "postmaster.pid").read_text().split()[0])

    def stop(self):
        output(ROOT / "scripts/cluster", "stop", self.directory)

    def sql(self, statement, database="aktify"):
        return output("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.host, "-U", "postgres", "-d", database, "-c", statement).strip()

    def environment(self, database):
        """The environment variables with which the API connects to a database."""
        return {
            "POSTGRES_HOST": self.host, "POSTGRES_PORT": "5432", "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "", "AUTH": "off",
            "POSTGRES_DB": database, "LOG_LEVEL": "warning",
        }

    def conninfo(self, database):
        return f"host={self.host} user=postgres dbname={database} sslmode=disable"

    def url(self, scheme, database):
        return f"{scheme}://postgres@/{database}?host={self.host}"

    # --- Campaigns

    def create(self, database):
        self.sql(f"CREATE DATABASE {database}", "postgres")
        output(ROOT / ".build/release/aktify", "db", "upgrade", cwd=ROOT, env={**os.environ, **self.environment(database)})

    def fill(self, database, first, last, description=DESCRIPTION):
        """Inserts campaigns with the ids from `first` to `last`."""
        self.sql(
            "INSERT INTO campaign (id, name, description, created_on, updated_on)"
            f" SELECT n, 'Campaign ' || n, '{description}', time, time"
            f" FROM generate_series({first}, {last}) n, LATERAL (SELECT timestamp '2026-01-01' + n * interval '1 minute' AS time) t;"
            f" SELECT setval('campaign_id_seq', {last})",
            database)

    def add_escaped_row(self):
        self.sql(f"UPDATE campaign SET name = E'\"Fünf\" \\\\ 5 €', description = E'Zwei\\nZeilen \\U0001F600\\x01' WHERE id = {ESCAPED_ROW}")

    def vacuum(self, database="aktify"):
        self.sql("VACUUM ANALYZE campaign", database)

    def reset(self):
        """Reverts the changes of a run, so that all runs start with the same table."""
        self.sql(f"DELETE FROM campaign WHERE id > {ROWS}")
        self.sql("UPDATE campaign SET version = 1 WHERE version > 1")
        self.vacuum()

    def fill_in_bulk(self, database, first, last):
        """Inserts many campaigns: like `fill`, but drops the indexes before and builds them afterwards."""
        indexes = self.sql(
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'campaign' AND indexname <> 'campaign_pkey' ORDER BY 1", database).splitlines()
        for definition in indexes:
            self.sql(f"DROP INDEX {definition.split()[2]}", database)
        self.fill(database, first, last)
        for definition in indexes:
            self.sql(f"SET maintenance_work_mem = '256MB'; {definition}", database)
        self.vacuum(database)
