"""The two trees of errors, split by who must act.

A boundary translates: the command line prints a ``SetupError`` as one line and exits 2, a door answers an
``InputError`` with a status or a verdict. Anything else that escapes is a defect of patchgate.
"""


class SetupError(Exception):
    """Whoever runs patchgate must act: a flag, a directory, a certificate, a port. The text says what to do."""


class SourceError(SetupError):
    """The place that the ConfigMaps come from cannot be read."""


class RefusedWebhooksError(SourceError):
    """The ConfigMap of webhooks holds something that the gate must not apply.

    Attributes:
        configmap: its name.
        uid: its uid; empty if it is not known.
    """

    def __init__(self, configmap: str, uid: str, message: str) -> None:
        super().__init__(message)
        self.configmap = configmap
        self.uid = uid


class CertificateError(SetupError):
    """A certificate or key cannot be read, made or used."""


class ImageError(SetupError):
    """One image cannot be brought further; the others go on. The text says what to do, and never a secret."""


class RegistryError(ImageError):
    """A registry refuses, cannot be reached, or answers nonsense."""


class ScanError(ImageError):
    """No report that may be believed."""


class FixError(ImageError):
    """Nothing was patched."""


class StoreError(ImageError):
    """A record cannot be written."""


class FullError(StoreError):
    """There is no room for it, where others' writes may have room."""


class UnreachableError(StoreError):
    """Nobody answers where it would be written."""


class HeldError(StoreError):
    """Another patcher holds what this one needs, and did not let go within the limit."""


class InputError(Exception):
    """Whoever sent the thing must act: a reference, a manifest, a request. The text says what is wrong with it."""


class InvalidReferenceError(InputError):
    """The text is not an image reference."""


class InvalidPatternError(InputError):
    """The text is not an image pattern."""


class InvalidMirrorError(InputError):
    """The text is not a line that names a mirror."""


class InvalidManifestError(InputError):
    """The text is no manifest, or its Pod template cannot be read."""


class NoObjectError(InvalidManifestError):
    """The text can be read, and holds something else than an object of the Kubernetes API: Helm's values, a list."""


class RequestError(InputError):
    """An HTTP request that gets no verdict.

    Attributes:
        status: the HTTP status that says so (RFC 9110, section 15.5).
        allow: with 405, the methods that the resource takes.
    """

    def __init__(self, status: int, message: str, *, allow: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.allow = allow
