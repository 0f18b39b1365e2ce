"""The few exceptions of this program; each says what stops when it is raised."""


class RevenuedError(Exception):
    """Base of all of ours: the message is a sentence that may be shown to the operator as it is."""


class SettingError(RevenuedError):
    """A setting or a parameter was refused: nothing was changed, the caller is told the field and its range."""


class StartError(RevenuedError):
    """The daemon does not start: something that only the operator can mend."""


class DatabaseError(StartError):
    """The daemon does not start: the database is another node's, newer than this program, or unusable."""


class NodeError(RevenuedError):
    """A call to the node gave no usable answer: this cycle stops, or skips what depended on the answer."""


class NodeUnreachable(NodeError):
    """The node could not be reached, nothing was delivered: safe to try again later."""


class NodeNotAsked(NodeUnreachable):
    """The node did not answer just before, so it was not asked: what stops is what stopped then."""


class NodeOutcomeUnknown(NodeError):
    """The request was delivered and no answer came: it may still be carried out; it is reconciled, never repeated."""


class NodeRefused(NodeError):
    """The node answered with an error: what was asked did not happen."""

    def __init__(self, message: str, code: int | None = None, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class NodeNonsense(NodeError):
    """The node answered something that cannot be understood: the part that depended on it is unknown."""


class CallNotPermitted(RevenuedError):
    """Code asked for an RPC method that is not on the allow-list: a defect, the call is not made."""


class CycleSkipped(RevenuedError):
    """This cycle stops before it changed anything; the next one starts fresh. The message is the reason shown."""


class IngestStopped(RevenuedError):
    """Ingest stops until the operator looks: the node's history does not continue the one in the database."""
