"""Lines in the log: a constant name of what happened, and the facts."""

import logging


def tell(
    logger: logging.Logger, level: int, event: str, *, with_fault: bool = False, **facts: object
) -> None:
    """Log an event, which is a constant, and what is known of it.

    Read by people as `event: fact=… fact=…`; whoever collects records finds the same in their
    attributes `registry.event` and `registry.<fact>`. `with_fault` adds the exception at hand.
    """
    told = " ".join(f"{name}={fact}" for name, fact in facts.items())
    attributes = {f"registry.{name}": _plain(fact) for name, fact in facts.items()}
    logger.log(
        level,
        "%s: %s" if told else "%s%s",
        event,
        told,
        extra={"registry.event": event} | attributes,
        exc_info=with_fault,
    )


def _plain(fact: object) -> object:
    """What exporters of records take; they leave out anything else."""
    return fact if isinstance(fact, bool | int | float) else str(fact)
