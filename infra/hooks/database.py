"""Makes the roles of a deployment's database and migrates it, as who deploys.

Run by infra/hooks/predeploy.sh, with what the template puts out in the environment. Each step may
be repeated: a deployment that fails anywhere is begun anew.
"""

import sys
from os import environ
from pathlib import Path
from urllib.parse import quote

import psycopg

from shared.database.login import Password, login
from shared.database.migrate import migrate
from shared.errors import DatabaseUnavailable
from shared.identity import Identity

_SQL = Path(__file__).parents[1] / "sql"
_UNREACHED = """
The database is not to be reached from here, or does not let you in. With a private network, deploy
from within it: a runner or a machine in the subnet "operators", or a VPN. Without one, let your
address in: azd env set REGISTRY_ADMINISTRATOR_ADDRESS <address>, then azd provision.
"""


def prepare() -> list[str]:
    """Ids of the migrations that were applied.

    Roles come first, for migrations need their owner; and once more after them, for what they made.
    """
    password = Identity().password
    _run("roles.sql", _url(), password)
    _run("entra.sql", _url("postgres", _of_identity()), password)
    applied = migrate(_url(options="-c role=registry_owner"), password)
    _run("roles.sql", _url(), password)
    return applied


def _run(name: str, url: str, password: Password) -> None:
    with psycopg.connect(url, autocommit=True, **login(url, password)) as connection:
        connection.execute((_SQL / name).read_bytes())


def _url(database: str | None = None, options: str | None = None) -> str:
    """Not through PgBouncer: what is done here belongs to a session."""
    user = quote(environ["REGISTRY_ADMINISTRATOR_NAME"], safe="")
    place = f"{environ['REGISTRY_DATABASE_HOST']}:{environ.get('REGISTRY_DATABASE_PORT', '5432')}"
    name = database or environ["REGISTRY_DATABASE_NAME"]
    query = f"?options={quote(options, safe='')}" if options else ""
    return f"postgresql://{user}@{place}/{name}{query}"


def _of_identity() -> str:
    names = {
        "registry.app_name": environ["REGISTRY_IDENTITY_NAME"],
        "registry.app_object_id": environ["REGISTRY_IDENTITY_OBJECT_ID"],
    }
    return " ".join(f"-c {name}={value}" for name, value in names.items())


def main() -> None:
    """Says what was applied, or why nothing was."""
    try:
        applied = prepare()
    except (psycopg.OperationalError, DatabaseUnavailable) as fault:
        sys.exit(f"{fault}{_UNREACHED}")
    print("\n".join(applied) or "Nothing to migrate.")  # noqa: T201 - azd shows it


if __name__ == "__main__":
    main()
