"""Postgres on the loopback, also for root; its data are in the home."""

from __future__ import annotations

import os
import secrets as random
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psycopg2

from app.errors import causes
from app.up import rights, survivors
from app.up.embedded import EmbeddedServer
from app.up.errors import UpError
from app.up.home import Home, write_private
from app.up.process import Child, Process
from app.up.programs import data_major, find_postgres

USER = "taskroom"
SUPERUSER = "postgres"  # nobody knows its password; `postgres --single` needs none
MINIMUM_MAJOR = 14  # the first with idle_session_timeout, which leader election needs
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # the path may be too long, and the folder another user's
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # parallel workers need /dev/shm, which has 64 MB in a container
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres(EmbeddedServer):
    name = "postgres"
    # An attacker who has taken over the application must not read files, run programs or create roles through Postgres.
    rights = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"

    def __init__(self, home: Home, max_connections: int = 100) -> None:
        self.folder = home.data / "postgres"
        self.bin, self.major = _find_binaries(self.folder)
        super().__init__(home)
        self._password = home.secrets.database_password
        self.url = f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{USER}"
        self._max_connections = max_connections
        self._setpriv: tuple[str, ...] = ()
        self._user_namespace = False
        if os.geteuid() == 0 or not rights.has_user_name():
            self._choose_identity()

    def prepare(self) -> None:
        try:
            has_files = self.folder.is_dir() and any(self.folder.iterdir())
        except PermissionError as error:
            raise UpError(
                f"{self.folder} belongs to another user; run script/up as that user or set TASKROOM_HOME"
            ) from error
        if has_files:
            if data_major(self.folder) is None or not (self.folder / "global" / "pg_control").is_file():
                raise UpError(f"{self.folder} is not a complete database; move it away and start again")
            self._chown(self.folder)
        else:
            self._create()
        if not self._role_stamp.exists():
            self._create_role()

    @property
    def _role_stamp(self) -> Path:
        """This file exists once the application has a role that is not a superuser."""
        return self.home.data / "postgres-roles"

    @property
    def child(self) -> Child:
        settings = {**SETTINGS, "port": str(self.port), "max_connections": str(self._max_connections)}
        return Child(
            name=self.name,
            command=(
                *self._setpriv,
                str(self.bin / "postgres"),
                "-D",
                str(self.folder),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ),
            folder=self.home.root,
            env=self._environment(),
            before_start=self._end_old_backends,
            ready=self._is_ready,
            stop_signals=((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0)),  # fast shutdown, then immediate
            parent_death_signal=signal.SIGINT,
            user_namespace=self._user_namespace,
        )

    def _choose_identity(self) -> None:
        """Postgres refuses root and users without a name, but it must read the files of this user."""
        if rights.user_namespaces_allowed():
            self._user_namespace = True
        elif os.geteuid() == 0 and (setpriv := shutil.which("setpriv")):
            # Another account owns the data. One capability lets it pass the folders above, whose modes do not change.
            account = str(rights.nobody_uid())
            self._setpriv = (
                setpriv,
                *("--reuid", account, "--regid", account, "--clear-groups", "--pdeathsig", "INT"),
                *("--inh-caps", "-all,+dac_override", "--ambient-caps", "-all,+dac_override", "--"),
            )
        else:
            raise UpError(
                "Postgres refuses root and users without a name, and user namespaces are not allowed here; "
                "run script/up as another user or set DATABASE_URL"
            )

    def _chown(self, folder: Path) -> None:
        """Makes the server's user the owner, which Postgres demands: an earlier run may have used another user."""
        owner = rights.nobody_uid() if self._setpriv else os.geteuid()
        if folder.stat().st_uid == owner:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner, -1, follow_symlinks=False)

    def _create(self) -> None:
        """Creates the database beside its place, then renames it: an interruption leaves no half database."""
        fresh = self.folder.with_name("postgres.new")
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        self._chown(fresh)
        password = self.home.run / "initdb.password"
        write_private(password, random.token_hex(32))
        initdb = (
            *(str(self.bin / "initdb"), "-D", str(fresh), "--username", SUPERUSER, "--pwfile", str(password)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale"),
        )
        try:
            # Not every system has C.UTF-8. initdb empties the folder again when it fails.
            if self._run(*initdb, "C.UTF-8") != 0 and self._run(*initdb, "C") != 0:
                raise self._initdb_error("initdb failed")
        finally:
            password.unlink()
        fresh.replace(self.folder)

    def _create_role(self) -> None:
        """Creates the application's role and database. May run again after an interruption.

        In older data the application's role is that of initdb, which must stay a superuser: it is renamed, and the new
        role becomes the owner of the tables.
        """
        self._end_old_backends()
        login = f"LOGIN {self.rights} PASSWORD '{self._password}'"
        self._run_single_user(
            "postgres",
            # ALTER ROLE refuses to rename the current role, and in single-user mode that is initdb's.
            f"UPDATE pg_authid SET rolname = '{SUPERUSER}' WHERE oid = 10",
            f"ALTER ROLE {SUPERUSER} PASSWORD '{random.token_hex(32)}'",
            f"CREATE ROLE {USER}",  # fails, without harm, when it exists
            f"ALTER ROLE {USER} {login}",
        )
        self._run_single_user("postgres", f"CREATE DATABASE {USER}")  # fails, without harm, when it exists
        self._run_single_user("postgres", f"ALTER DATABASE {USER} OWNER TO {USER}")
        self._run_single_user(USER, _CHANGE_OWNERS)
        self._role_stamp.touch()

    def _run_single_user(self, database: str, *statements: str) -> None:
        """Runs one-line statements in single-user mode. Raises UpError when the server does not start; the failure of a
        statement is only logged."""
        command = (str(self.bin / "postgres"), "--single", "-D", str(self.folder), database)
        if self._run(*command, stdin="".join(f"{line};\n" for line in statements).encode()) != 0:
            raise self._initdb_error("the database cannot be created")

    def _run(self, *command: str, stdin: bytes = b"") -> int:
        with self.home.log_file("initdb").open("ab") as log:
            return subprocess.run(
                (*self._setpriv, *command),
                input=stdin,
                cwd=self.home.root,
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=rights.child_setup(signal.SIGTERM, self._user_namespace),
                check=False,
            ).returncode

    def _initdb_error(self, text: str) -> UpError:
        log = self.home.log / "initdb.log"
        return UpError(f"{text}; see {log}", "\n".join(log.read_text(errors="replace").splitlines()[-15:]))

    def _environment(self) -> dict[str, str]:
        """The operator's environment without PGDATA, PGPORT and others that the programs would read."""
        return {name: value for name, value in os.environ.items() if not name.startswith("PG")}

    def _end_old_backends(self) -> None:
        """Ends the backends of a killed postmaster: while they run, no new postmaster starts."""
        if sys.platform != "linux":
            return
        remaining = partial(survivors.servers_in, self.folder, "postgres")
        survivors.terminate(remaining, ((signal.SIGQUIT, 2.0), (signal.SIGKILL, 5.0)))
        # Another process may have that pid by now, and Postgres would take it for a running postmaster.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _is_ready(self, _: Process) -> bool:
        try:
            psycopg2.connect(self.url, connect_timeout=1).close()
        except psycopg2.OperationalError as error:
            if causes.sqlstate(error) == "28P01":
                raise UpError(
                    f"{self.folder} has another password than {self.home.root / 'secrets.json'}; "
                    "restore that file or move the folder away"
                ) from error
            return False
        return True


# The sequence of an identity or serial column has the owner of its table.
_CHANGE_OWNERS = f"""DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT pg_class.oid::regclass FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'i'))
    LOOP EXECUTE 'ALTER TABLE ' || name || ' OWNER TO {USER}'; END LOOP;
    FOR name IN SELECT pg_proc.oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    LOOP EXECUTE 'ALTER FUNCTION ' || name || ' OWNER TO {USER}'; END LOOP;
END $$""".replace("\n", " ")


def _find_binaries(folder: Path) -> tuple[Path, int]:
    """Returns the folder and the major version of binaries that fit the data folder; a new data folder fits any."""
    wanted = data_major(folder)
    found = find_postgres(wanted)
    if found is None and wanted is not None:
        raise UpError(
            f"{folder} was written by Postgres {wanted}, which this machine does not have; "
            f"install Postgres {wanted} or move the folder away"
        )
    if found is None:
        raise UpError("no Postgres on this machine; install postgresql or set DATABASE_URL")
    if found[1] < MINIMUM_MAJOR:
        raise UpError(
            f"Postgres {found[1]} in {found[0]} is too old; install {MINIMUM_MAJOR} or set DATABASE_URL"
        )
    return found
