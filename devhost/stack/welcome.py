"""What a user reads when everything runs, and the variables that the printed lines use."""

import shlex

from devhost.stack.azurite import Azurite
from devhost.stack.directory import StackDescription, StackDirectory
from devhost.stack.ports import LOOPBACK


def shell_variables(stack: StackDescription, azurite: Azurite, token: str) -> str:
    """Lines for `source` in a shell: short names for the lines that people copy."""
    uploads = f"http://{LOOPBACK}:{azurite.ports[0]}/{azurite.account}/{stack.container}"
    variables = {
        "API": stack.api_url,
        "ADMIN_KEY": stack.admin_key,
        "WRITE_KEY": stack.write_key,
        "READ_KEY": stack.read_key,
        "ACCOUNT": azurite.account,
        "CONTAINER": stack.container,
        "UPLOADS": uploads,
        "UPLOAD_TOKEN": token,
        "DATABASE_URL": stack.database_url,
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def welcome(stack: StackDescription, directory: StackDirectory) -> str:
    """The closing words of the start, as Rich markup."""
    variables = directory.shell_variables
    return f"""
[bold]The registry runs at {stack.api_url}[/] (health: {stack.api_url}/api/health/ready)
Keys, addresses and connection strings are in {directory.description}; data stays beside it.

Try next, in another terminal:
  make demo
or by hand:
  source {variables}
  echo hello > hello.txt
  curl -T hello.txt -H "x-ms-blob-type: BlockBlob" "$UPLOADS/hello.txt?$UPLOAD_TOKEN"
  curl -H "X-API-Key: $READ_KEY" "$API/api/admin/artifacts/history?client_type=blob\\
&account=$ACCOUNT&container=$CONTAINER&path=hello.txt"

An upload is noticed within ten seconds. Ctrl-C stops everything.
"""
