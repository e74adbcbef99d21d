"""The audit package's errors: one root, one subclass for each kind of text that can be wrong."""

from gateway.errors import GatewayError


class AuditError(GatewayError):
    """Something about the log, its proofs or its exports is not as it must be."""


class CanonicalError(AuditError):
    """A value or text is not canonical JSON (RFC 8785) within the limits of the log."""


class NoteError(AuditError):
    """A signed note, checkpoint, key or receipt is malformed or not signed by a trusted key."""


class EntryError(AuditError):
    """An entry or a disclosure does not have the shape of its type."""


class ProofError(AuditError):
    """A Merkle proof can't be built or read."""


class BundleError(AuditError):
    """A bundle can't be written from what was given."""


class TooManyRowsError(BundleError):
    """More rows were chosen than the view that was asked for can hold."""
