"""Ingestion rules in PostgreSQL."""

from shared.database.queries import load_queries
from shared.models.rule_files import KEPT_RULES
from shared.models.rules import IngestionRule
from shared.repositories.documents import DocumentRepository


class RuleRepository(DocumentRepository[IngestionRule]):
    """Every statement about ingestion rules. Never commits."""

    queries = load_queries(__file__)
    kept = KEPT_RULES
