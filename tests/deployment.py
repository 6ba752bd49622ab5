"""A database as a deployment leaves it: made by who is no superuser, as on Azure."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from devhost.stack.ports import LOOPBACK
from devhost.stack.postgres import EmbeddedPostgres
from shared.database.migrate import migrate

DEPLOYER = "deployer"
APP = "id-registry"
ROLES = Path("infra/sql/roles.sql")
_ENTRA = Path("infra/sql/entra.sql")
_PASSWORD = "only-here"

# There a database and its schema `public` belong to a role that administrators are members of, and
# the function that makes a role of an identity is in the database `postgres` alone.
_SERVER = f"""
CREATE ROLE administrators NOLOGIN CREATEDB CREATEROLE;
CREATE ROLE {DEPLOYER} LOGIN CREATEDB CREATEROLE PASSWORD '{_PASSWORD}' IN ROLE administrators;
CREATE FUNCTION pgaadauth_create_principal_with_oid(
    name text, object_id text, kind text, is_admin boolean, is_mfa boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    ASSERT object_id::uuid IS NOT NULL AND kind = 'service' AND NOT is_admin AND NOT is_mfa;
    EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', name, '{_PASSWORD}');
    RETURN name;
END $$;
"""
_DATABASE = "CREATE DATABASE registry OWNER administrators"
_SCHEMA = "ALTER SCHEMA public OWNER TO administrators"
_IDENTITY = (
    f"-c registry.app_name={APP} -c registry.app_object_id=8f1c3c0e-63f5-4c59-9d0c-1d0f2a3b4c5d"
)


@dataclass(frozen=True)
class Deployment:
    """The database `registry` of a server, for its users."""

    server: EmbeddedPostgres

    def url(
        self,
        user: str,
        *,
        database: str = "registry",
        options: str | None = None,
        port: int | None = None,
    ) -> str:
        """Of a user; at PgBouncer's port in place of the server's own."""
        place = f"{user}:{_PASSWORD}@{LOOPBACK}:{port or self.server.port}/{database}"
        return f"postgresql://{place}" + (f"?options={quote(options)}" if options else "")

    @property
    def owner(self) -> str:
        """What migrations run with."""
        return self.url(DEPLOYER, options="-c role=registry_owner")

    def make_roles(self, database: str = "registry") -> None:
        """As the deployment's hook does, before and after migrations."""
        with psycopg.connect(self.url(DEPLOYER, database=database), autocommit=True) as connection:
            connection.execute(ROLES.read_bytes())

    def make_identity(self) -> None:
        """What Azure alone has, on a stand-in for its function."""
        url = self.url(DEPLOYER, database="postgres", options=_IDENTITY)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_ENTRA.read_bytes())


def empty(server: EmbeddedPostgres) -> Deployment:
    """As Azure makes it: there is a database, and who administers it."""
    with psycopg.connect(server.url(), autocommit=True) as superuser:
        superuser.execute(_SERVER)
        superuser.execute(_DATABASE)
    with psycopg.connect(server.url("registry"), autocommit=True) as superuser:
        superuser.execute(_SCHEMA)
    return Deployment(server)


def deploy(server: EmbeddedPostgres) -> Deployment:
    """All of it, on a server that has nothing yet."""
    deployment = empty(server)
    deployment.make_roles()
    deployment.make_identity()
    migrate(deployment.owner)
    deployment.make_roles()
    return deployment
