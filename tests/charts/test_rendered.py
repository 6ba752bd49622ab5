"""What a cluster is told, whatever the values: kinds that it knows, and nothing that it fears."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import kubernetes_validate
import kubernetes_validate.utils
import pytest

from tests.charts.conftest import Rendered
from tests.charts.helm import PROJECT, Object, lint
from tests.charts.keda import KEDA
from tests.charts.objects import component_of, containers, name_of, of_kind, templates, told

OLDEST, NEWEST = "1.30", "1.37"
LIVE, READY = "/api/health/live", "/api/health/ready"
TEMPORARY = "/tmp"  # noqa: S108 - of a container, where nothing else may be written
IMAGE_NEEDS = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@pytest.fixture(scope="module", autouse=True)
def schemas_read_once() -> Iterator[None]:
    """A megabyte for each version, which would be read anew for each object."""
    with pytest.MonkeyPatch.context() as patched:
        read = cache(kubernetes_validate.utils.schema_contents)
        patched.setattr(kubernetes_validate.utils, "schema_contents", read)
        yield


def validate(found: Object, version: str) -> None:
    """Refuse fields that its kind has not, and values that they may not have."""
    if found["apiVersion"].startswith("keda.sh/"):
        KEDA.validate_python(found)
    else:
        kubernetes_validate.validate(found, version, strict=True)


def test_helm_finds_nothing_and_each_object_is_of_its_kind(
    values: str, objects: list[Object]
) -> None:
    assert "0 chart(s) failed" in lint(values)
    assert len({(each["kind"], name_of(each)) for each in objects}) == len(objects)
    for each in objects:
        validate(each, NEWEST)
        if values == "everything":
            validate(each, OLDEST)


@pytest.mark.parametrize(
    ("kind", "place", "misspelt"),
    [
        ("Deployment", ("spec", "template", "spec"), "hostNetworks"),
        ("ScaledObject", ("spec",), "maxReplicas"),
        ("TriggerAuthentication", ("spec", "podIdentity"), "identityID"),
    ],
)
def test_a_misspelt_field_would_be_found(
    rendered: Rendered, kind: str, place: tuple[str, ...], misspelt: str
) -> None:
    found: Any = json.loads(json.dumps(of_kind(rendered("minimal"), kind)[0]))
    validate(found, NEWEST)
    section = found
    for step in place:
        section = section[step]
    section[misspelt] = True
    with pytest.raises(Exception, match=misspelt):
        validate(found, NEWEST)


def test_no_pod_may_do_what_a_process_of_ours_need_not(objects: list[Object]) -> None:
    for pod in templates(objects):
        spec = pod["spec"]
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True
        assert min(security["runAsUser"], security["runAsGroup"]) >= 10_000
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["nodeSelector"].items() >= IMAGE_NEEDS.items()
        assert not set(spec) & {"hostNetwork", "hostPID", "hostIPC", "hostUsers"}
        assert spec["volumes"] == [{"name": "tmp", "emptyDir": {}}]
    for container in containers(objects):
        assert container["securityContext"] == CONTAINER_SECURITY
        assert container["volumeMounts"] == [{"name": "tmp", "mountPath": TEMPORARY}]
        assert "hostPort" not in json.dumps(container)


def test_each_container_says_what_it_needs_and_how_it_is(objects: list[Object]) -> None:
    served = json.loads((PROJECT / "docs" / "openapi.json").read_text())["paths"]
    assert {LIVE, READY} <= set(served)
    for container in containers(objects):
        for bounded in ("requests", "limits"):
            assert {"memory", "ephemeral-storage"} <= set(container["resources"][bounded])
        assert "cpu" in container["resources"]["requests"]
    for deployment in of_kind(objects, "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        (port,) = container["ports"]
        assert (port["name"], port["containerPort"]) == ("http", 8080)
        probed = {name: container[name]["httpGet"]["path"] for name in container if "Probe" in name}
        assert probed == {"startupProbe": LIVE, "livenessProbe": LIVE, "readinessProbe": READY}


def test_who_asks_the_api_does_not_hear_of_a_pod_that_ends(objects: list[Object]) -> None:
    for deployment in of_kind(objects, "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        waits = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert (waits > 0) == (component_of(deployment) == "api")
        answering = int(told(objects, container)["ASPNETCORE_SHUTDOWNTIMEOUTSECONDS"])
        assert 0 < waits + answering < spec["terminationGracePeriodSeconds"]
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_whatever_is_named_is_there(objects: list[Object]) -> None:
    """Accounts, settings, targets: a name that leads nowhere is found by a cluster alone."""
    known = {(each["kind"], name_of(each)) for each in objects}
    for pod in templates(objects):
        assert ("ServiceAccount", pod["spec"]["serviceAccountName"]) in known
    for container in containers(objects):
        for source in container.get("envFrom", []):
            assert ("ConfigMap", source["configMapRef"]["name"]) in known
    for scaled in of_kind(objects, "ScaledObject", "HorizontalPodAutoscaler"):
        target = ("Deployment", scaled["spec"]["scaleTargetRef"]["name"])
        assert target in known
        assert component_of(scaled) == component_of(
            next(each for each in objects if (each["kind"], name_of(each)) == target)
        )
        for trigger in scaled["spec"].get("triggers", []):
            assert ("TriggerAuthentication", trigger["authenticationRef"]["name"]) in known
    for ingress in of_kind(objects, "Ingress"):
        (rule,) = ingress["spec"]["rules"]
        (path,) = rule["http"]["paths"]
        assert path["path"] == "/api"
        assert ("Service", path["backend"]["service"]["name"]) in known


def test_selectors_find_the_pods_that_they_mean(objects: list[Object]) -> None:
    (service,) = of_kind(objects, "Service")
    assert selected(objects, service["spec"]["selector"]) == {"api"}
    for budget in of_kind(objects, "PodDisruptionBudget"):
        assert selected(objects, budget["spec"]["selector"]["matchLabels"]) == {"api"}
        assert budget["spec"]["maxUnavailable"] == 1  # nodes are drained though it be one pod
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    for deployment in of_kind(objects, "Deployment"):
        found = selected(objects, deployment["spec"]["selector"]["matchLabels"])
        assert found == {component_of(deployment)}
    policies = {
        frozenset(selected(objects, each["spec"]["podSelector"]["matchLabels"])): each["spec"]
        for each in of_kind(objects, "NetworkPolicy")
    }
    if policies:
        everybody = frozenset(component_of(pod) for pod in templates(objects))
        assert policies.keys() == {everybody, frozenset({"api"}), frozenset({"migration"})}
        assert set(policies[everybody]["policyTypes"]) == {"Ingress", "Egress"}
        assert "ingress" not in policies[everybody]
        assert "169.254.169.254/32" in json.dumps(policies[everybody]["egress"])
        assert policies[frozenset({"migration"})].items() >= (
            {name: policies[everybody][name] for name in ("policyTypes", "egress")}.items()
        )


def selected(objects: list[Object], labels: dict[str, str]) -> set[str]:
    return {
        component_of(pod)
        for pod in templates(objects)
        if labels.items() <= pod["metadata"]["labels"].items()
    }


def test_an_identity_is_given_to_pods_and_accounts_or_neither(objects: list[Object]) -> None:
    accounts = {name_of(each): each["metadata"] for each in of_kind(objects, "ServiceAccount")}
    for pod in templates(objects):
        account = accounts[pod["spec"]["serviceAccountName"]]
        has_identity = "azure.workload.identity/client-id" in account.get("annotations", {})
        assert ("azure.workload.identity/use" in pod["metadata"]["labels"]) == has_identity


def test_the_schema_is_migrated_first_by_an_account_of_its_own(objects: list[Object]) -> None:
    (job,) = of_kind(objects, "Job")
    used = job["spec"]["template"]["spec"]["serviceAccountName"]
    for pod in of_kind(objects, "Deployment"):
        assert pod["spec"]["template"]["spec"]["serviceAccountName"] != used
    needed = {"ServiceAccount": used}
    if of_kind(objects, "NetworkPolicy"):  # where nothing is allowed, it would reach no database
        needed["NetworkPolicy"] = name_of(job)
    hooks = [each for each in objects if "helm.sh/hook" in each["metadata"].get("annotations", {})]
    assert {each["kind"]: name_of(each) for each in hooks} == needed | {"Job": name_of(job)}
    for each in hooks:
        annotations = each["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation"
        assert (int(annotations["helm.sh/hook-weight"]) < 0) == (each is not job)
