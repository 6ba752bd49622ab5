"""`python -m devhost.stack.npm ARGUMENTS` runs npm in the folder of our `package.json`."""

import os
import subprocess
import sys

from devhost.stack.node import TOOLS, node_program, npm_command


def run_npm(arguments: list[str]) -> int:
    """npm's exit code. Its install scripts find the same Node.js first on the path."""
    path = os.pathsep.join([str(node_program().parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [*npm_command(), *arguments], cwd=TOOLS, env={**os.environ, "PATH": path}, check=False
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(run_npm(sys.argv[1:]))
