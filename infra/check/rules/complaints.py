"""What a rule says: of which resource, or of none where one is missing; and what is wrong."""

from collections.abc import Callable, Iterator

from infra.check.plan import Plan, Resource

Complaints = Iterator[tuple[Resource | None, str]]
Rule = Callable[[Plan], Complaints]
