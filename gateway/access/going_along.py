"""What goes along when a guest's access goes over into a new one: the exemption of their own, where the rules stay.

Such an exemption is a group like the one that the guest was in (`docs/decisions/0040-guests-of-courses.md`). To be like
another one it would have to be published anew, and a guest's button publishes no policy.
"""

from __future__ import annotations

from gateway.storage import exemption_requests, generations
from gateway.storage.engine import Session


def group_along(session: Session, owner_id: str, own: str, group_key: str) -> str:
    """The group of an access that would be in `group_key`: `own`, which the guest is in, where that is one guest's
    alone and has the rules of `group_key` in the policy in force.
    """
    is_alone = own.startswith(exemption_requests.SESSION_PREFIX)
    return own if is_alone and generations.like_of(session, owner_id, own) == group_key else group_key
