"""Every limit of patchgate, each with its unit and the reason for its size."""

from typing import Final

# --- references: github.com/distribution/reference v0.6, reference.go -------------------------------------------
REPOSITORY_PATH_CHARACTERS: Final = 255
"""A repository's path, without its registry (RepositoryNameTotalLengthMax)."""
REFERENCE_CHARACTERS: Final = 1024
"""A whole reference: a host name of 253 (RFC 1035), the path, a tag of 128, the longest digest, and room."""
SHOWN_REFERENCE_CHARACTERS: Final = 200
"""A reference in a message: kube-apiserver lets 5,000 characters through to us, a person reads fewer."""

# --- lists and records ------------------------------------------------------------------------------------------
CLOCK_SKEW_SECONDS: Final = 5 * 60
"""How far ahead of our clock a record's times may be: the patcher's clock is another machine's."""
RECORDS_SCHEMA: Final = 1
"""The highest schema of records.json that is understood; a higher one is refused whole."""
RECORD_CONFIGMAPS: Final = 7
"""How many `copa-patched-digests-N` count beside the first: about 4,500 records in all."""
POLICY_HOURS: Final = 10 * 365 * 24
"""The longest time that the policy can name: ten years of hours. Beyond it, dates overflow."""
YAML_DEPTH: Final = 100
"""Levels of nesting in YAML: a Pod has about ten."""
SHOWN_VALUE_CHARACTERS: Final = 80
"""A wrong value quoted in a problem: enough to find it."""

SHOWN_LINE_CHARACTERS: Final = 2000
"""A problem, or a cell of a table: more than any whole message with the reference to use instead."""

# --- answers ----------------------------------------------------------------------------------------------------
WARNING_CHARACTERS: Final = 120
"""One warning: kube-apiserver asks for at most 120 and cuts at 256 (k8s.io/api/admission/v1, AdmissionResponse)."""
WARNINGS: Final = 10
"""Warnings in one answer: with 120 characters each far below kube-apiserver's 4,096 in all."""
DENIED_IMAGES_SHOWN: Final = 10
"""Denied images that one message explains; the rest are counted."""

# --- the server -------------------------------------------------------------------------------------------------
BODY_BYTES: Final = 7 * 1024 * 1024
"""A review: kube-apiserver takes objects up to 3 MiB, and sends two on UPDATE (as controller-runtime reckons)."""
KEEP_ALIVE_SECONDS: Final = 120
"""Longer than the 90 s that kube-apiserver keeps an idle connection, so that it is always the one who closes."""
RETRY_AFTER_SECONDS: Final = 1
"""What a caller that came too early is told; kube-apiserver tries again within the webhook's timeout."""
BACKLOG_CONNECTIONS: Final = 2048
"""Connections that wait to be accepted: a burst of Pods comes on as many connections."""
SHUTDOWN_SECONDS: Final = 20
"""How long open requests may take to end when the process is told to stop."""

# --- certificates -----------------------------------------------------------------------------------------------
CA_DAYS: Final = 10 * 365
"""Validity of our own CA."""
LEAF_DAYS: Final = 90
"""Validity of a leaf."""
BACKDATE_SECONDS: Final = 60 * 60
"""How long before its making a certificate is valid: clocks differ."""
