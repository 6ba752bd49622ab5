"""What an upload is registered as: by the rule that knows it, and by what its uploader says."""

from collections.abc import Mapping

from shared.models.artifacts import ArtifactRegistration
from shared.models.blobs import BlobReference
from shared.models.rules import RuleMatch


def registration_of(
    blob: BlobReference,
    match: RuleMatch | None,
    metadata: Mapping[str, str],
    tags: Mapping[str, str],
) -> ArtifactRegistration:
    """What a blob is registered as; its location and its bytes are left to say.

    Without a rule the asset is the blob itself. Metadata and index tags whose keys begin with
    `registry_` beat the rule as far as it lets them, and tags beat metadata.

    Raises InvalidInput where what comes out is no registration. The pointer is into
    `{"metadata": …, "tags": …}` for what the uploader said, and else into the registration.
    """
    raise NotImplementedError
