"""On whose behalf a function acts."""

import azure.functions as func

from shared.models.registrations import Origin


def origin_of(context: func.Context) -> Origin:
    """The function itself, and the invocation that the host's logs know."""
    return Origin(f"function:{context.function_name}", context.invocation_id)
