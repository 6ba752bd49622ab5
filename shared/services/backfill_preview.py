"""What rules would make of the blobs of a list."""

from collections.abc import Callable

from shared.errors import InvalidInput
from shared.models.backfills import BackfillPreview, PreviewedBlob, RefusedBlob, RulePreview
from shared.models.listed_blobs import BlobList, ListedBlob
from shared.services.backfill_items import BlobReader

_EXAMPLES = 3


def preview_blobs(
    blobs: BlobList, reader: BlobReader, tell: Callable[[RefusedBlob], None]
) -> BackfillPreview:
    """Read every blob of a list by the rules, and register none; tell of those refused."""
    seen: dict[str | None, RulePreview] = {}
    refused = 0
    for page in blobs.pages(None):
        for row in page.unreadable:
            refused += 1
            tell(RefusedBlob(row.name, row.reason))
        for blob in page.blobs:
            try:
                _add(seen, blob, reader)
            except InvalidInput as fault:
                refused += 1
                tell(RefusedBlob(blob.path, fault.summary))
    ordered = sorted(seen.values(), key=lambda rule: (-rule.count, rule.rule or ""))
    return BackfillPreview(ordered, refused)


def _add(seen: dict[str | None, RulePreview], blob: ListedBlob, reader: BlobReader) -> None:
    rule, registration = reader.registration(blob)
    found = seen.setdefault(rule, RulePreview(rule))
    found.count += 1
    if len(found.examples) < _EXAMPLES:
        refs = registration.client_refs
        found.examples.append(PreviewedBlob(blob.path, registration.client_type, refs))
