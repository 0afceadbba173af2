"""A real Postgres on the loopback, its data kept in the home, also when root runs it."""

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

from app.up import identity, survivors
from app.up.embedded import EmbeddedServer
from app.up.errors import UpError
from app.up.home import Home, Secrets
from app.up.process import Child, Process
from app.up.programs import data_major, find_postgres

USER = "taskroom"
SUPERUSER = "postgres"  # it has a password that nobody knows: `postgres --single` is the way in
MINIMUM_MAJOR = 14  # the leader of the rounds needs idle_session_timeout
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may be too long, and its folder another user's
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # it needs /dev/shm, of which a container has 64 MB
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres(EmbeddedServer):
    name = "postgres"

    def __init__(self, home: Home, secrets: Secrets, max_connections: int = 100) -> None:
        self.folder = home.data / "postgres"
        self.bin, self.major = _program(self.folder)
        super().__init__(home)
        self._password = secrets.database_password
        self._max_connections = max_connections
        self.url = self.url_of(USER)
        self._as_account: tuple[str, ...] = ()
        self._namespace = False
        if os.geteuid() == 0 or not identity.has_name():
            self._choose_identity()

    def url_of(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        try:
            used = self.folder.is_dir() and any(self.folder.iterdir())
        except PermissionError as error:
            raise UpError(
                f"{self.folder} belongs to another user; run script/up as that user or set TASKROOM_HOME"
            ) from error
        if used:
            if data_major(self.folder) is None or not (self.folder / "global" / "pg_control").is_file():
                raise UpError(f"{self.folder} is no complete database; move it away and start again")
            self._own(self.folder)
        else:
            self._create()
        if not self._roles.exists():
            self._part_roles()

    # Whose role can do what: in Postgres's hands alone, so an application that is broken into reads no files, runs no
    # programs and makes no roles.
    rights = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"

    @property
    def _roles(self) -> Path:
        """It is there once the application's role is no superuser."""
        return self.home.data / "postgres-roles"

    @property
    def child(self) -> Child:
        settings = {**SETTINGS, "port": str(self.port), "max_connections": str(self._max_connections)}
        return Child(
            name=self.name,
            command=(
                *self._as_account,
                str(self.bin / "postgres"),
                "-D",
                str(self.folder),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ),
            folder=self.home.root,
            env=self._environment(),
            before=self._clear_leftovers,
            ready=self._answers,
            stages=((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0)),  # fast shutdown, then immediate
            orphan_signal=signal.SIGINT,
            namespace=self._namespace,
        )

    def _choose_identity(self) -> None:
        """Postgres refuses root, and a user without a name; yet it must read that user's files."""
        if identity.namespaces_allowed():
            self._namespace = True
        elif os.geteuid() == 0 and (setpriv := shutil.which("setpriv")):
            # Another account owns the data; one capability lets it pass the folders above, left as they are.
            account = str(identity.nobody())
            self._as_account = (
                setpriv,
                *("--reuid", account, "--regid", account, "--clear-groups", "--pdeathsig", "INT"),
                *("--inh-caps", "-all,+dac_override", "--ambient-caps", "-all,+dac_override", "--"),
            )
        else:
            raise UpError(
                "Postgres refuses root and users without a name, and user namespaces are not allowed here; "
                "run script/up as another user or set DATABASE_URL"
            )

    def _own(self, folder: Path) -> None:
        """The server insists on being the owner, and the way in which root runs it may have changed."""
        owner = identity.nobody() if self._as_account else os.geteuid()
        if folder.stat().st_uid == owner:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner, -1, follow_symlinks=False)

    def _create(self) -> None:
        """Beside its place, then renamed: an interrupted start leaves no half database behind."""
        fresh = self.folder.with_name("postgres.new")
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        self._own(fresh)
        password = self.home.run / "initdb.password"
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(random.token_hex(32))
        initdb = (
            *(str(self.bin / "initdb"), "-D", str(fresh), "--username", SUPERUSER, "--pwfile", str(password)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale"),
        )
        try:
            # Not every system has C.UTF-8; initdb empties the folder again when it fails.
            if self._run(*initdb, "C.UTF-8") != 0 and self._run(*initdb, "C") != 0:
                raise UpError(f"initdb failed; see {self.home.log / 'initdb.log'}", self._initdb_tail())
        finally:
            password.unlink()
        fresh.replace(self.folder)

    def _part_roles(self) -> None:
        """Makes the application's role and its database. In data of before, where that role is the one that initdb
        made and which must stay a superuser, it gets another name, and its tables the new role. May be done again."""
        self._clear_leftovers()
        secret = f"LOGIN {self.rights} PASSWORD '{self._password}'"
        self._single(
            "postgres",
            # ALTER ROLE renames no role that is at work, and here initdb's always is.
            f"UPDATE pg_authid SET rolname = '{SUPERUSER}' WHERE oid = 10",
            f"ALTER ROLE {SUPERUSER} PASSWORD '{random.token_hex(32)}'",
            _UNLESS.format(f"rolname = '{USER}'", f"CREATE ROLE {USER}"),
            f"ALTER ROLE {USER} {secret}",
        )
        self._single("postgres", f"CREATE DATABASE {USER}")  # an error where it is there
        self._single("postgres", f"ALTER DATABASE {USER} OWNER TO {USER}")
        self._single(USER, _OWN_ALL)
        self._roles.touch()

    def _single(self, database: str, *statements: str) -> None:
        """Each statement is a line. Raises UpError when the server does not start; an error of a statement does not
        end it."""
        command = (str(self.bin / "postgres"), "--single", "-D", str(self.folder), database)
        if self._run(*command, stdin="".join(f"{line};\n" for line in statements).encode()) != 0:
            raise UpError(
                f"the database cannot be made; see {self.home.log / 'initdb.log'}", self._initdb_tail()
            )

    def _run(self, *command: str, stdin: bytes = b"") -> int:
        with self.home.log_file("initdb").open("ab") as log:
            return subprocess.run(
                (*self._as_account, *command),
                input=stdin,
                cwd=self.home.root,
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=identity.begin(signal.SIGTERM, self._namespace),
                check=False,
            ).returncode

    def _initdb_tail(self) -> str:
        return "\n".join(self.home.log_file("initdb").read_text(errors="replace").splitlines()[-15:])

    def _environment(self) -> dict[str, str]:
        """Without PGDATA, PGPORT and the like of the operator, which the programs would read."""
        return {name: value for name, value in os.environ.items() if not name.startswith("PG")}

    def _clear_leftovers(self) -> None:
        """Backends outlive a killed postmaster for a while; a new one refuses to start beside them."""
        if sys.platform != "linux":
            return
        remaining = partial(survivors.servers_in, self.folder, "postgres")
        survivors.end(remaining, ((signal.SIGQUIT, 2.0), (signal.SIGKILL, 5.0)))
        # Its pid may be any process's by now, and then the server takes that one for a living postmaster.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _answers(self, _: Process) -> bool:
        try:
            psycopg2.connect(self.url, connect_timeout=1).close()
        except psycopg2.OperationalError as error:
            if "password authentication failed" in str(error):
                raise UpError(
                    f"{self.folder} has another password than {self.home.root / 'secrets.json'}; "
                    "restore that file or move the folder away"
                ) from error
            return False
        return True


_UNLESS = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE {}) THEN {}; END IF; END $$"
# Sequences of identity columns go with their tables.
_OWN_ALL = f"""DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT pg_class.oid::regclass FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'i'))
    LOOP EXECUTE 'ALTER TABLE ' || name || ' OWNER TO {USER}'; END LOOP;
    FOR name IN SELECT pg_proc.oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    LOOP EXECUTE 'ALTER FUNCTION ' || name || ' OWNER TO {USER}'; END LOOP;
END $$""".replace("\n", " ")


def _program(folder: Path) -> tuple[Path, int]:
    """The binaries that fit the data folder, any for a new one."""
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
