"""`python -m infra.check`, from the root of the checkout: what is wrong, and 1 if anything is."""

import sys
from pathlib import Path

from infra.check.checking import check, sources


def main() -> int:
    texts = sources(Path.cwd())
    found = check(texts)
    for finding in found:
        print(finding, file=sys.stderr)
    print(f"{len(texts)} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
