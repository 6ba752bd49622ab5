"""SQL put together at run time does not get through the checks of this project."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devhost.stack.node import node_program
from tests.safety.statements import built_statements

PROJECT = Path(__file__).parents[2]
PRODUCT = ("function_app.py", "functions", "shared", "cli")

# Each is the argument of `connection.execute`, with a text `name` from outside.
BUILT = {
    "f-string": 'f"SELECT * FROM registry.{name}"',
    "f-string of bytes": 'f"SELECT * FROM registry.{name}".encode()',
    "format": '"SELECT * FROM registry.{}".format(name)',
    "format_map": '"SELECT * FROM registry.{name}".format_map({"name": name})',
    "percent": '"SELECT * FROM registry.%s" % name',
    "bytes and percent": 'b"SELECT * FROM registry.%s" % name.encode()',
    "concatenation": '"SELECT * FROM registry." + name',
    "concatenation of bytes": 'b"SELECT * FROM registry." + name.encode()',
    "join": '" ".join(["SELECT * FROM", name])',
    "template": 'Template("SELECT * FROM registry.$name").substitute(name=name)',
    "replace": '"SELECT * FROM registry.NAME".replace("NAME", name)',
    "text alone": "name",
    "bytes alone": "name.encode()",
    "without a word of SQL": '("SEL" + "ECT " + name).encode()',
    "composed": 'sql.SQL("SELECT {}").format(sql.Literal(name))',
    "hidden from the type checker": "sql.SQL(cast(LiteralString, name))",
}
FIXED = {
    "literal": '"SELECT 1"',
    "named statement": '_QUERIES["get"]',
    "statement named by a variable": "_QUERIES[name]",
    "statement of a kind of documents": 'self.queries["get"]',
}
# Tables of other databases have names that no statement of ours can know. They are put in as quoted
# identifiers, here and nowhere else; tests of these tables send hostile names.
COMPOSED = {
    "shared/storage/table_sources.py": [
        "sql.SQL('SET LOCAL {} = {}')",
        "connection.execute(setting)",
        "sql.SQL('LOCK TABLE {} IN ACCESS SHARE MODE')",
        "connection.execute(sql.SQL('LOCK TABLE {} IN ACCESS SHARE MODE').format(_quoted(table)))",
        "sql.SQL('COPY (SELECT * FROM {} ORDER BY {}) TO STDOUT (FORMAT binary)')",
        "sql.SQL('{} COLLATE \"C\"' if column['is_collated'] else '{}')",
        "sql.SQL(', ')",
        "cursor.copy(statement)",
    ]
}
_MODULE = '''"""A repository."""

from string import Template
from typing import Any, LiteralString, cast

from psycopg import Connection, sql

_QUERIES: dict[str, bytes] = {{}}


def find(connection: Connection[Any], name: str) -> None:
    """Find it."""
    connection.execute({statement})


UNUSED = (Template, LiteralString, cast, sql)
'''


def module(statement: str) -> str:
    return _MODULE.format(statement=statement)


def product_files() -> list[Path]:
    return [
        path
        for name in PRODUCT
        for path in ([PROJECT / name] if name.endswith(".py") else (PROJECT / name).rglob("*.py"))
    ]


def test_the_product_runs_fixed_statements_but_for_tables_of_others() -> None:
    files = product_files()
    assert len(files) > 80
    built = {path: sorted(_built_in(path)) for path in files}
    told = {os.fspath(path.relative_to(PROJECT)): found for path, found in built.items() if found}
    assert told == {path: sorted(known) for path, known in COMPOSED.items()}


def test_the_statements_of_a_kind_of_documents_are_those_of_its_file() -> None:
    """`self.queries` passes the check above: nothing else may be called so."""
    repositories = (PROJECT / "shared/repositories").glob("*.py")
    told = [line.strip() for path in repositories for line in path.read_text().splitlines()]
    given = {line for line in told if line.startswith(("queries =", "self.queries ="))}
    assert given == {"queries = load_queries(__file__)"}


def _built_in(path: Path) -> list[str]:
    return [found.partition(": ")[2] for found in built_statements(path.read_text())]


@pytest.mark.parametrize("statement", BUILT.values(), ids=BUILT.keys())
def test_a_statement_put_together_is_noticed(statement: str) -> None:
    assert list(built_statements(module(statement)))


@pytest.mark.parametrize("statement", FIXED.values(), ids=FIXED.keys())
def test_a_statement_that_is_fixed_passes(statement: str) -> None:
    assert list(built_statements(module(statement))) == []


def test_statements_within_the_database_are_not_put_together_either() -> None:
    """A function of PL/pgSQL could do it as well: none runs text as a statement."""
    for path in (PROJECT / "shared").rglob("*.sql"):
        words = path.read_text().upper().replace("EXECUTE FUNCTION", "").split()
        assert "EXECUTE" not in words, path


def test_make_check_refuses_the_usual_ways(tmp_path: Path) -> None:
    """Ruff and pyright under this project's own settings: each way stops at one of them at least.

    What passes both is bytes, which ruff does not look into and pyright cannot tell from those of a
    `.sql` file, or was declared to be fixed: the tests above are there for these.
    """
    files = {name: tmp_path / f"sample_{place}.py" for place, name in enumerate(BUILT)}
    for name, path in files.items():
        path.write_text(module(BUILT[name]))
    refused = refused_by_ruff(files) | refused_by_pyright(files, tmp_path)
    assert BUILT.keys() - refused == {
        "bytes alone",
        "bytes and percent",
        "concatenation of bytes",
        "composed",
        "hidden from the type checker",
        "without a word of SQL",
    }


def refused_by_ruff(files: dict[str, Path]) -> set[str]:
    found: set[str] = set()
    for name, path in files.items():
        command = [sys.executable, "-m", "ruff", "check", "--output-format=json"]
        command += ["--stdin-filename", "shared/repositories/sample.py", "-"]
        ran = subprocess.run(
            command, cwd=PROJECT, input=path.read_bytes(), capture_output=True, check=False
        )
        if "S608" in {each["code"] for each in json.loads(ran.stdout)}:
            found.add(name)
    return found


def refused_by_pyright(files: dict[str, Path], directory: Path) -> set[str]:
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": ["."]}
    (directory / "pyrightconfig.json").write_text(json.dumps(settings))
    checker = PROJECT / "devhost/node/node_modules/pyright/index.js"
    command = [os.fspath(node_program()), os.fspath(checker), "--outputjson", "--pythonpath"]
    command += [sys.executable, "--project", os.fspath(directory)]
    ran = subprocess.run(command, cwd=directory, capture_output=True, check=False)
    told = json.loads(ran.stdout)["generalDiagnostics"]
    rules = {"reportArgumentType", "reportCallIssue"}
    at_fault = {Path(each["file"]) for each in told if each.get("rule") in rules}
    return {name for name, path in files.items() if path in at_fault}
