"""What the hooks of a deployment read has to be an output: azd hands outputs to them."""

import re
from collections.abc import Iterator, Mapping

from infra.check.findings import Finding
from infra.check.plan import MAIN
from infra.check.syntax import Template

_READ = re.compile(r"\$([A-Z]\w+)|environ\[[\"'](\w+)[\"']\]")
_OF_AZD = frozenset({"AZURE_RESOURCE_GROUP", "REGISTRY_API_URL", "REGISTRY_STORAGE_ACCOUNT"})
"""Read by azd itself, and by who follows docs/operations.md."""


def check_hooks(texts: Mapping[str, str], templates: Mapping[str, Template]) -> Iterator[Finding]:
    hooks = [text for path, text in texts.items() if path.startswith("infra/hooks/")]
    read = {one or two for text in hooks for one, two in _READ.findall(text)}
    main = templates.get(MAIN)
    outputs = {each.name for each in main.of("output")} if main else set[str]()
    for name in sorted((read | _OF_AZD) - outputs):
        yield Finding(MAIN, 1, "hook-output", f"a hook reads {name}, which is no output")
    for name in sorted(outputs - read - _OF_AZD):
        yield Finding(MAIN, 1, "hook-output", f"nobody reads the output {name}")
