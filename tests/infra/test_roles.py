"""The two database roles: who deploys owns everything, the app may do what it does and no more."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import Connection, errors

from devhost.stack import postgres
from devhost.stack.postgres import THROW_AWAY, EmbeddedPostgres
from shared.database.migrate import migrate
from tests.deployment import APP, DEPLOYER, ROLES, Deployment, deploy

REPOSITORIES = Path("shared/repositories")
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


@pytest.fixture(scope="module")
def deployment(session_directory: Path) -> Iterator[Deployment]:
    server = EmbeddedPostgres(session_directory / "roles", settings=THROW_AWAY)
    server.start()
    yield deploy(server)
    server.stop()


@pytest.fixture(scope="module")
def superuser(deployment: Deployment) -> Iterator[Connection]:
    with psycopg.connect(deployment.server.url("registry"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def app(deployment: Deployment) -> Iterator[Connection]:
    with psycopg.connect(deployment.url(APP), autocommit=True) as connection:
        yield connection


def test_migrations_belong_to_the_owner_whoever_ran_them(
    deployment: Deployment, superuser: Connection
) -> None:
    owned = """
        SELECT owner::regrole::text, count(*) > 200 FROM (
            SELECT relowner FROM pg_class
            WHERE relnamespace IN ('registry'::regnamespace, 'public'::regnamespace)
            UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'registry'::regnamespace
            UNION ALL SELECT typowner FROM pg_type WHERE typnamespace = 'registry'::regnamespace
            UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname = 'registry'
        ) AS made (owner) GROUP BY owner"""
    assert superuser.execute(owned).fetchall() == [("registry_owner", True)]
    assert migrate(deployment.owner) == []


def test_the_app_is_a_member_of_its_role_alone(superuser: Connection) -> None:
    roles = """
        SELECT rolname, rolcanlogin,
            rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS is_more,
            ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = role.oid)
        FROM pg_roles AS role WHERE rolname = ANY (%s) ORDER BY rolname"""
    found = superuser.execute(roles, [[APP, "registry_app", "registry_owner"]]).fetchall()
    assert found == [
        (APP, True, False, ["registry_app"]),
        ("registry_app", False, False, []),
        ("registry_owner", False, False, []),
    ]


def test_the_app_may_do_to_each_table_what_its_statements_do(superuser: Connection) -> None:
    """Also the other way about: a right that no statement needs is taken away in roles.sql."""
    used = _rights_used(superuser)
    assert used["trail"] == {"SELECT", "INSERT", "DELETE"}, "statements are not read any more"
    assert _rights_given(superuser, "r") == used


def test_views_are_read_and_functions_and_sequences_used(superuser: Connection) -> None:
    views = _rights_given(superuser, "v")
    assert views
    assert all(rights == {"SELECT"} for rights in views.values())
    functions = """
        SELECT proname, has_function_privilege(%s, oid, 'EXECUTE') AS is_the_apps,
            has_function_privilege('public', oid, 'EXECUTE') AS is_everybodys, prosecdef
        FROM pg_proc WHERE pronamespace = 'registry'::regnamespace"""
    found = superuser.execute(functions, [APP]).fetchall()
    assert len(found) > 150
    assert [each for each in found if each[1:] != (True, False, False)] == []
    sequences = """
        SELECT has_sequence_privilege(%(app)s, oid, 'USAGE'),
            has_sequence_privilege(%(app)s, oid, 'UPDATE')
        FROM pg_class WHERE relkind = 'S' AND relnamespace = 'registry'::regnamespace"""
    assert set(superuser.execute(sequences, {"app": APP})) == {(True, False)}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE registry.mine ()",
        "CREATE TABLE public.mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SET ROLE registry_owner",
        "SET session_replication_role = replica",
        "ALTER TABLE registry.artifacts DISABLE TRIGGER ALL",
        "ALTER FUNCTION registry.refuse() RESET ALL",
        "DROP TABLE registry.outbox",
        "TRUNCATE registry.set_aside_messages",
        "DELETE FROM registry.artifacts",
        "DELETE FROM registry.trail_days",
        "UPDATE registry.trail SET hash = hash",
        "UPDATE registry.outbox SET details = '{}'",
        "SELECT setval('registry.commit_numbers', 1)",
        "SELECT FROM public._yoyo_migration",
        "COPY registry.runs TO PROGRAM 'true'",
    ],
)
def test_the_app_is_refused(app: Connection, statement: LiteralString) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)


def test_what_a_later_migration_makes_is_at_the_apps_disposal_at_once(
    deployment: Deployment, app: Connection
) -> None:
    with psycopg.connect(deployment.owner, autocommit=True) as owner:
        owner.execute(
            """
            CREATE TABLE registry.later (number integer);
            CREATE SEQUENCE registry.later_numbers;
            CREATE VIEW registry.later_records AS SELECT number FROM registry.later;
            CREATE FUNCTION registry.take_later() RETURNS integer LANGUAGE sql AS $$
                INSERT INTO registry.later VALUES (nextval('registry.later_numbers'))
                RETURNING number
            $$
            """
        )
        try:
            assert app.execute("SELECT registry.take_later()").fetchone() == (1,)
            app.execute("UPDATE registry.later SET number = 7")
            assert app.execute("SELECT number FROM registry.later_records").fetchall() == [(7,)]
            app.execute("DELETE FROM registry.later")
        finally:
            owner.execute("DROP VIEW registry.later_records")
            owner.execute("DROP FUNCTION registry.take_later()")
            owner.execute("DROP TABLE registry.later")
            owner.execute("DROP SEQUENCE registry.later_numbers")


def test_making_the_roles_again_changes_nothing(
    deployment: Deployment, superuser: Connection
) -> None:
    """By psql, which reads a file in its own way."""
    before = superuser.execute(_RIGHTS).fetchall()
    deployment.make_identity()
    done = subprocess.run(
        [
            postgres._binaries() / "psql",  # pyright: ignore[reportPrivateUsage] - as its server runs
            *("-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", ROLES),
            deployment.url(DEPLOYER),
        ],
        env=os.environ | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert superuser.execute(_RIGHTS).fetchall() == before


def test_whoever_may_not_make_the_roles_is_told(
    deployment: Deployment, superuser: Connection
) -> None:
    """PostgreSQL only warns of rights that were not given, and a deployment would go on."""
    superuser.execute("CREATE DATABASE foreign_one")
    with pytest.raises(errors.RaiseException, match="were not changed"):
        deployment.make_roles("foreign_one")
    superuser.execute("CREATE DATABASE earlier OWNER administrators")
    with psycopg.connect(deployment.server.url("earlier"), autocommit=True) as earlier:
        earlier.execute("CREATE SCHEMA registry")
        with pytest.raises(errors.RaiseException, match="belongs to another role"):
            deployment.make_roles("earlier")
        earlier.execute("ALTER SCHEMA registry OWNER TO registry_owner")
    deployment.make_roles("earlier")


_RIGHTS = """
    SELECT 'relation', oid, relacl::text FROM pg_class WHERE relacl IS NOT NULL
    UNION ALL SELECT 'function', oid, proacl::text FROM pg_proc WHERE proacl IS NOT NULL
    UNION ALL SELECT 'schema', oid, nspacl::text FROM pg_namespace
    UNION ALL SELECT 'database', oid, datacl::text FROM pg_database
    UNION ALL SELECT 'default', oid, defaclacl::text FROM pg_default_acl
    UNION ALL SELECT 'member', roleid, member::text FROM pg_auth_members
    ORDER BY 1, 2, 3"""


def _rights_given(superuser: Connection, kind: LiteralString) -> dict[str, set[str]]:
    """Of each table, or view, what the app may do to it."""
    query = """
        SELECT relname, ARRAY(SELECT privilege FROM unnest(%s::text[]) AS privilege
                              WHERE has_table_privilege(%s, oid, privilege))
        FROM pg_class WHERE relkind = %s AND relnamespace = 'registry'::regnamespace"""
    found = superuser.execute(query, [list(PRIVILEGES), APP, kind]).fetchall()
    return {name: set(rights) for name, rights in found}


def _rights_used(superuser: Connection) -> dict[str, set[str]]:
    """What statements do to each table: those of functions, and those of repositories.

    Whoever locks a row needs the right to change it.
    """
    query = "SELECT prosrc FROM pg_proc WHERE pronamespace = 'registry'::regnamespace"
    texts = [source for (source,) in superuser.execute(query)]
    texts += [path.read_text() for path in REPOSITORIES.glob("*.sql")]
    statements = re.sub(r"--.*", "", ";".join(texts)).split(";")
    used = {name: {"SELECT"} for name in _rights_given(superuser, "r")}
    for statement in statements:
        for pattern, right in _WRITING:
            for name in re.findall(pattern, statement, re.DOTALL):
                used[name].add(right)
    return used


_WRITING = [
    (r"INSERT INTO registry\.(\w+)", "INSERT"),
    (r"\bUPDATE registry\.(\w+)", "UPDATE"),
    (r"INSERT INTO registry\.(\w+)(?:(?!INSERT INTO).)*?\bDO UPDATE\b", "UPDATE"),
    (r"FROM registry\.(\w+)(?:(?!\bFROM\b).)*?\bFOR (?:NO KEY )?UPDATE\b", "UPDATE"),
    (r"DELETE FROM registry\.(\w+)", "DELETE"),
]
