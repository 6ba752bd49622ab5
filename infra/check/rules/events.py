"""From a blob to a message on a queue, without losing one."""

from collections.abc import Mapping
from typing import Any

from infra.check.plan import Plan, Resource
from infra.check.rules.complaints import Complaints, Rule
from infra.check.rules.demands import ACCOUNT, CONTAINER

_TOPIC = "Microsoft.EventGrid/systemTopics"
_SUBSCRIPTION = f"{_TOPIC}/eventSubscriptions"
_QUEUE = f"{ACCOUNT}/queueServices/queues"
_TOLD = {f"Microsoft.Storage.Blob{what}" for what in ("Created", "Deleted", "TierChanged")}


def settings(plan: Plan) -> Mapping[str, Any]:
    """The app settings of the Function App."""
    for each in plan.of("Microsoft.Web/sites/config"):
        if each.name == "appsettings":
            return each.object("properties")
    return {}


def has_subscription(plan: Plan) -> Complaints:
    """Without a topic of blobs and a subscription to it nothing that is uploaded is registered."""
    topics = list(plan.of(_TOPIC))
    if [each.at("properties.topicType") for each in topics] != [
        "Microsoft.Storage.StorageAccounts"
    ]:
        yield None, "there is no system topic of a storage account"
    if not list(plan.of(_SUBSCRIPTION)):
        yield None, "nobody subscribes to what happens to blobs"


def event_identity(plan: Plan) -> Complaints:
    """Through a storage firewall Event Grid comes by the topic's system-assigned identity alone."""
    for topic in plan.of(_TOPIC):
        if topic.at("identity.type") != "SystemAssigned":
            yield topic, "has no system-assigned identity of its own"
    for each in plan.of(_SUBSCRIPTION):
        for way in ("deliveryWithResourceIdentity", "deadLetterWithResourceIdentity"):
            if each.at(f"properties.{way}.identity") != {"type": "SystemAssigned"}:
                yield each, f"{way} does not come by the system-assigned identity"


def event_schema(plan: Plan) -> Complaints:
    """The documented schema of messages is CloudEvents."""
    for each in plan.of(_SUBSCRIPTION):
        if each.at("properties.eventDeliverySchema") != "CloudEventSchemaV1_0":
            yield each, "does not deliver CloudEvents 1.0"


def event_types(plan: Plan) -> Complaints:
    """Without them nothing is registered, artifacts outlive their bytes, or tiers are wrong."""
    for each in plan.of(_SUBSCRIPTION):
        missing = _TOLD - set(each.texts("properties.filter.includedEventTypes"))
        if missing:
            yield each, f"does not ask for {', '.join(sorted(missing))}"


def subject_filter(plan: Plan) -> Complaints:
    """A wider filter registers dead letters and packages; another one registers nothing."""
    container = settings(plan).get("REGISTRY_UPLOAD_CONTAINER")
    wanted = f"/blobServices/default/containers/{container}/"
    for each in plan.of(_SUBSCRIPTION):
        begins = str(each.at("properties.filter.subjectBeginsWith"))
        if begins != wanted or each.at("properties.filter.isSubjectCaseSensitive") is not True:
            yield each, f"asks for {begins!r}, the app looks after {wanted!r} in exactly this case"


def event_retries(plan: Plan) -> Complaints:
    """Event Grid gives up after this; 30 attempts and a day are the most that it does."""
    for each in plan.of(_SUBSCRIPTION):
        for path, most in (("maxDeliveryAttempts", 30), ("eventTimeToLiveInMinutes", 1440)):
            if each.at(f"properties.retryPolicy.{path}") != most:
                yield each, f"retryPolicy.{path} is not {most}"


def event_destination(plan: Plan) -> Complaints:
    """The queue that events go to is the one that the app reads, and a message waits for it."""
    queues = {each.name for each in plan.of(_QUEUE)}
    for each in plan.of(_SUBSCRIPTION):
        to = each.object("properties.deliveryWithResourceIdentity.destination")
        name = to.get("properties", {}).get("queueName")
        if to.get("endpointType") != "StorageQueue" or name not in queues:
            yield each, f"delivers to {name}, which is no queue of this deployment"
        if name != settings(plan).get("REGISTRY_BLOB_EVENTS_QUEUE"):
            yield each, f"delivers to {name}, which the app does not read"
        if to.get("properties", {}).get("queueMessageTimeToLiveInSeconds") != -1:
            yield each, "messages are gone after a while, read or not"


def dead_letter(plan: Plan) -> Complaints:
    """What cannot be delivered in a day is lost without a container to put it in."""
    containers = {each.name for each in plan.of(CONTAINER)}
    for each in plan.of(_SUBSCRIPTION):
        to = each.object("properties.deadLetterWithResourceIdentity.deadLetterDestination")
        name = to.get("properties", {}).get("blobContainerName")
        if to.get("endpointType") != "StorageBlob" or name not in containers:
            yield each, f"dead letters go to {name}, which is no container of this deployment"
        if name == settings(plan).get("REGISTRY_UPLOAD_CONTAINER"):
            yield each, "dead letters would be uploads, whose events are delivered in turn"


def event_order(plan: Plan) -> Complaints:
    """Whether the topic may deliver is looked at when the subscription is made."""
    grants = {
        each.address
        for each in plan.of("Microsoft.Authorization/roleAssignments")
        if "topic" in str(each.at("properties.principalId"))
    }
    for each in plan.of(_SUBSCRIPTION):
        waits = {getattr(one, "address", str(one)) for one in each.body.get("dependsOn", [])}
        if not grants or grants - waits:
            yield each, "does not wait for the roles of its topic"


def trusted_bypass(plan: Plan) -> Complaints:
    """Event Grid has no private endpoint: it comes in as a service that Azure trusts."""
    sources = [_account(plan, topic) for topic in plan.of(_TOPIC)]
    for account in plan.of(ACCOUNT):
        if account not in sources and account.at("properties.networkAcls.bypass") != "None":
            yield account, "lets services in that have nothing to do here"
    for topic, account in zip(plan.of(_TOPIC), sources, strict=True):
        if account is None:
            yield topic, "its source is no account of this deployment"
        elif "AzureServices" not in str(account.at("properties.networkAcls.bypass")):
            yield account, "the firewall keeps Event Grid out"
        elif account.at("properties.publicNetworkAccess") != "Enabled":
            yield account, "without its public endpoint Event Grid cannot come at all"


def _account(plan: Plan, topic: Resource) -> Resource | None:
    """The account with the name of the topic's source, for modules name it as `existing`."""
    source = plan.at(str(topic.at("properties.source")).removesuffix(".id"))
    same = [each for each in plan.of(ACCOUNT) if source and each.name == source.name]
    return same[0] if same else None


def queues_of_settings(plan: Plan) -> Complaints:
    """A function whose queue is missing fails at every poll until the host makes it."""
    queues = {each.name for each in plan.of(_QUEUE)}
    named = {key: value for key, value in settings(plan).items() if key.endswith("_QUEUE")}
    for key, value in named.items():
        if value not in queues:
            yield None, f"{key} names {value}, which is no queue of this deployment"
    for queue in plan.of(_QUEUE):
        if queue.name.removesuffix("-poison") not in named.values():
            yield queue, f"no setting names {queue.name}"


def poison_queues(plan: Plan) -> Complaints:
    """The host moves a poisoned message to NAME-poison, and a role without `create` cannot."""
    queues = {each.name for each in plan.of(_QUEUE)}
    for queue in plan.of(_QUEUE):
        if not queue.name.endswith("-poison") and f"{queue.name}-poison" not in queues:
            yield queue, f"{queue.name} has no {queue.name}-poison"


RULES: tuple[Rule, ...] = (
    has_subscription, event_identity, event_schema, event_types, subject_filter, event_retries,
    event_destination, dead_letter, event_order, trusted_bypass, queues_of_settings, poison_queues,
)  # fmt: skip
