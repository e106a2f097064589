"""Asks kube-apiserver whose a bearer token is (authentication.k8s.io/v1, TokenReview). Keeps none, and says none."""

from dataclasses import dataclass, field
from typing import Final

from kubernetes.client import AuthenticationV1Api, CoreV1Api

from patchgate.cluster.answer import read_mapping, read_object
from patchgate.cluster.failure import say_failure
from patchgate.cluster.pace import Pace
from patchgate.errors import SourceError
from patchgate.limits import TOKEN_REVIEW_SECONDS

_NEEDED: Final = "give its service account a ClusterRole with create on tokenreviews in authentication.k8s.io"


@dataclass(frozen=True, slots=True)
class TokenReviewer:
    """Reviews tokens for one audience.

    Attributes:
        api: asked; its client's user needs the right to create TokenReviews.
        audience: that a token must be meant for.
        pace: how long an answer may take.
    """

    api: CoreV1Api
    audience: str
    pace: Pace = field(default_factory=lambda: Pace(read_seconds=TOKEN_REVIEW_SECONDS))

    def find_user(self, token: str) -> str:
        """Find the user that the token belongs to; empty if it is no one's or not meant for the audience. Blocks.

        Raises:
            SourceError: it cannot be told.
        """
        spec = {"token": token, "audiences": [self.audience]}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        try:
            answer = AuthenticationV1Api(self.api.api_client).create_token_review(
                body,  # type: ignore[arg-type] # a mapping as it is sent
                _preload_content=False,
                _request_timeout=self.pace.request_seconds,
            )
            status = read_mapping(read_object(answer), "status")
        except Exception as error:
            host = self.api.api_client.configuration.host
            raise SourceError(say_failure(error, "create tokenreviews", host, _NEEDED)) from error
        # A status that names no audience has not checked ours: it would accept any token of the cluster.
        if status.get("authenticated") is not True or self.audience not in (status.get("audiences") or ()):
            return ""
        username = read_mapping(status, "user").get("username")
        return username if isinstance(username, str) else ""
