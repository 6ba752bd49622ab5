"""Where things stand in what is rendered."""

from collections.abc import Iterator

from tests.charts.helm import Object


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [each for each in objects if each["kind"] in kinds]


def name_of(found: Object) -> str:
    name: str = found["metadata"]["name"]
    return name


def component_of(found: Object) -> str:
    """What of the registry it belongs to; nothing, where that is all of it."""
    component: str = found["metadata"]["labels"].get("app.kubernetes.io/component", "")
    return component


def templates(objects: list[Object]) -> Iterator[Object]:
    """The pods that deployments and jobs make."""
    for each in of_kind(objects, "Deployment", "Job"):
        yield each["spec"]["template"]


def containers(objects: list[Object]) -> Iterator[Object]:
    for template in templates(objects):
        assert set(template["spec"]) & {"initContainers", "ephemeralContainers"} == set()
        yield from template["spec"]["containers"]


def told(objects: list[Object], container: Object) -> dict[str, str]:
    """Its variables; of a secret, the key under which it is kept."""
    maps = {name_of(each): each["data"] for each in of_kind(objects, "ConfigMap")}
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= maps[source["configMapRef"]["name"]]
    for variable in container["env"]:
        secret = variable.get("valueFrom", {}).get("secretKeyRef")
        found[variable["name"]] = secret["key"] if secret else variable["value"]
    return found


def functions_of(deployment: Object) -> set[str]:
    """Those that its host is to run."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    listed = [
        variable["value"]
        for variable in container["env"]
        if variable["name"].startswith("AzureFunctionsJobHost__functions__")
    ]
    assert len(listed) == len(set(listed))
    return set(listed)
