"""Items of the Enrolments table: what a blocker's next certificate waits for."""

from pynamodb.attributes import UnicodeAttribute

from parking.adapters.dynamodb.attributes import InstantAttribute, VersionedModel
from parking.domain.enrolment import Enrolment
from parking.domain.ids import BlockerId


class EnrolmentModel(VersionedModel):
    """The digest of a code, never the code."""

    blocker_id = UnicodeAttribute(hash_key=True)
    code_digest = UnicodeAttribute(null=True)
    code_expires_at = InstantAttribute(null=True)
    admitted_certificate_id = UnicodeAttribute(null=True)
    next_certificate_id = UnicodeAttribute(null=True)
    connected_with = UnicodeAttribute(null=True)
    connected_at = InstantAttribute(null=True)


def item_of(enrolment: Enrolment) -> EnrolmentModel:
    """The enrolment as it is stored."""
    return EnrolmentModel(
        blocker_id=enrolment.blocker_id,
        code_digest=enrolment.code_digest,
        code_expires_at=enrolment.code_expires_at,
        admitted_certificate_id=enrolment.admitted_certificate_id,
        next_certificate_id=enrolment.next_certificate_id,
        connected_with=enrolment.connected_with,
        connected_at=enrolment.connected_at,
        version=enrolment.version,
    )


def enrolment_of(item: EnrolmentModel) -> Enrolment:
    """The stored enrolment."""
    return Enrolment(
        blocker_id=BlockerId(item.blocker_id),
        code_digest=item.code_digest,
        code_expires_at=item.code_expires_at,
        admitted_certificate_id=item.admitted_certificate_id,
        next_certificate_id=item.next_certificate_id,
        connected_with=item.connected_with,
        connected_at=item.connected_at,
        version=item.version,
    )
