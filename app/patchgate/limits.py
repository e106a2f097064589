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
PATTERNS_OF_A_REPOSITORY: Final = 100
"""Lines with a `*` of one repository; each is tried in turn."""
IMAGES_OF_A_REQUEST: Final = 1000
"""Different images of one review or question: a Pod has a handful."""
YAML_NODES: Final = 1_000_000
"""Values of a YAML text, with aliases written out: a bomb of a few hundred bytes has billions."""
CLOCK_SKEW_SECONDS: Final = 5 * 60
"""How far ahead of our clock a record's times may be: the patcher's clock is another machine's. As far may our own
clock be put back before people are told: a machine that starts is corrected by seconds."""
CLOCK_LOOK_SECONDS: Final = 5
"""How often it is looked whether the machine's clock was put back."""
RECORDS_SCHEMA: Final = 1
"""The highest schema of records.json that is understood; a higher one is refused whole."""
RECORD_CONFIGMAPS: Final = 7
"""How many `copa-patched-digests-N` count beside the first: about 4,500 records in all."""
GENERATION: Final = 2**63 - 1
"""The highest generation: what Go's int64 and a gauge can hold."""
POLICY_HOURS: Final = 10 * 365 * 24
"""The longest time that the policy can name: ten years of hours. Beyond it, dates overflow."""
YAML_DEPTH: Final = 100
"""Levels of nesting in YAML: a Pod has about ten."""
SHOWN_VALUE_CHARACTERS: Final = 80
"""A wrong value quoted in a problem: enough to find it."""

SHOWN_LINE_CHARACTERS: Final = 2000
"""A problem, or a cell of a table: more than any whole message with the reference to use instead."""

# --- bearer tokens ----------------------------------------------------------------------------------------------
TOKENS_REMEMBERED: Final = 256
"""Tokens of which it is remembered whether they are known, and as many that are not: Kyverno's Pods have one each."""
TOKEN_SECONDS: Final = 60
"""How long that is remembered: so long is a token still taken that was taken back. Kyverno's live for an hour."""
TOKEN_BYTES: Final = 16 * 1024
"""A token: a service account's has about 1 KiB, an identity provider's with many groups several."""
TOKEN_REVIEWS: Final = 4
"""Tokens asked of kube-apiserver at a time."""
TOKEN_REVIEW_SECONDS: Final = 3
"""How long it may take to answer: less than Kyverno's webhook has."""

# --- answers ----------------------------------------------------------------------------------------------------
WARNING_CHARACTERS: Final = 120
"""One warning: kube-apiserver asks for at most 120 and cuts at 256 (k8s.io/api/admission/v1, AdmissionResponse)."""
WARNINGS: Final = 10
"""Warnings in one answer: with 120 characters each far below kube-apiserver's 4,096 in all."""
WARNINGS_BYTES: Final = 2000
"""All warnings of one answer, UTF-8."""
MESSAGE_BYTES: Final = 3000
"""A denial's message, UTF-8; kubectl shows all of it."""
ANNOTATION_BYTES: Final = 1000
"""One audit annotation, UTF-8."""
ANSWER_BYTES: Final = 8 * 1024
"""An AdmissionReview that answers: what the three above leave room for, whatever JSON must escape."""
DECISION_BYTES: Final = 1_500_000
"""An answer of `/v1/decisions`: Kyverno's chart has it read 2,000,000 (--maxAPICallResponseLength), and what it cannot
read is let in under Ignore. A thousand images of ASCII take half of it."""
DENIED_IMAGES_SHOWN: Final = 10
"""Denied images that one message explains; the rest are counted."""

# --- the server -------------------------------------------------------------------------------------------------
REVIEW_BYTES: Final = 37 * 1024 * 1024
"""A review: kube-apiserver takes objects up to 3 MiB, sends two on UPDATE, and writes six bytes for each `<`, `>`, `&`;
1 MiB is for all else. A larger one is refused by its uid."""
QUESTION_BYTES: Final = 7 * 1024 * 1024
"""A body of `/v1/`: those who ask there write `<` as one byte."""
EXPLAINED_BYTES: Final = 4 * 1024
"""A review that is not as it must be, of which pydantic says where: it lists every fault, 1 ms of work per KiB
(measured). Of a larger one the first fault is named, by msgspec."""
UID_CHARACTERS: Final = 256
"""A review's uid, which is sent back: kube-apiserver's has 36."""
HANDSHAKE_SECONDS: Final = 10
"""A TLS handshake, from the first byte to the last."""
CLOSE_SECONDS: Final = 5
"""From our closing of a TLS connection to its caller's: one that is frozen would hold up the gate's end."""
HEAD_SECONDS: Final = 10
"""From a connection's opening, or a request's first byte, to the end of its head."""
HEAD_BYTES: Final = 64 * 1024
"""A request's head; kube-apiserver's has a few hundred bytes, Go's own servers take 1 MiB."""
REQUEST_BYTES: Final = 2 * REVIEW_BYTES
"""A whole request on the wire: a body, and room for how it is chunked; trailers have no other limit."""
BODY_SECONDS: Final = 10
"""From the end of a head to the end of its body; kube-apiserver itself gives a webhook 30 s at most."""
TIMEOUT_SHARE: Final = 0.8
"""The part of the webhook's timeout within which a body must be there: the rest is for the answer's way back."""
WRITE_SECONDS: Final = 30
"""How long an answer may wait for its caller to read on; kube-apiserver itself waits at most 30 s for a webhook."""
KEEP_ALIVE_SECONDS: Final = 120
"""Longer than the 90 s that kube-apiserver keeps an idle connection, so that it is always the one who closes."""
RETRY_AFTER_SECONDS: Final = 1
"""What a caller that came too early is told; kube-apiserver tries again within the webhook's timeout."""
OTHER_FILES: Final = 128
"""Open files beside the connections: listeners, certificates, what is read."""
BACKLOG_CONNECTIONS: Final = 2048
"""Connections that wait to be accepted: a burst of Pods comes on as many connections."""
DRAIN_SECONDS: Final = 15
"""How long the gate serves on after SIGTERM: until every kube-apiserver has heard that its endpoint is gone."""
SHUTDOWN_SECONDS: Final = 20
"""How long open requests may take to end when the gate has drained."""
ABORT_AGAIN_SECONDS: Final = 0.1
"""How often connections are closed once the gate is told to end at once: uvicorn looks as often."""
VERDICTS_REMEMBERED: Final = 4096
"""Verdicts kept for images that are asked about again: about 2 MB, 8 where every reference is as long as may be."""
NAMESPACE_CHARACTERS: Final = 63
"""A namespace's name (RFC 1123, a label); nothing is remembered for a longer one."""
PAGE_IMAGES: Final = 100
"""Images of one page of /v1/images, where nobody asks for fewer or more."""
PAGE_IMAGES_MOST: Final = 1000
"""Images of one page of /v1/images at the most."""
IMAGES_OFFSET_MOST: Final = 1_000_000_000
"""Images of /v1/images that a page may pass over: far more than a cluster's ConfigMaps hold, and an index of a list."""
CATALOG_SECONDS: Final = 1
"""How long one catalogue is given out again: every controller of Kyverno polls it by itself."""
PAGE_ROWS: Final = 50
"""Images of one page of the status page: more than a screen shows, and rendered in milliseconds."""
PAGE_SHARE: Final = 0.1
"""The part of a processor that the status page and /v1/images take together: what reads all of it has its end."""
SLICE_SECONDS: Final = 0.0002
"""How long a page is computed before it rests: what a review that meets it waits, once; less than one review takes."""
PAGE_INDEX_SECONDS: Final = 60
"""How long after a page the order of images is kept: it holds the data of then, and all of it may be new meanwhile."""
PAGES_WAITING: Final = 16
"""Pages that wait for their turn; one more is told 503. Each holds what it asked of, though its reader may be gone."""
PAGE_PROBLEMS: Final = 100
"""Problems of the data that the status page lists; the rest are counted."""
PAGE_SEARCH_CHARACTERS: Final = 200
"""What may be searched for on the status page."""
PAGE_ASSET_SECONDS: Final = 365 * 24 * 60 * 60
"""How long a browser keeps an asset of the status page: its address changes with its content."""

# --- the log ----------------------------------------------------------------------------------------------------
LOG_GATHER_SECONDS: Final = 0.1
"""How long lines are gathered before they are written, all with one system call."""
LOG_GATHER_BYTES: Final = 64 * 1024
"""How much may be gathered: what a pipe holds."""

# --- watching ---
DEBOUNCE_MILLISECONDS: Final = 200
"""How long changes of a directory are gathered before it is read again."""
MANIFEST_BYTES: Final = 64 * 1024 * 1024
"""A file of ConfigMaps: sixty of the largest."""
LOOK_AGAIN_SECONDS: Final = 5
"""How often the source is looked at without a change being told, for those that nobody tells of."""
SWITCH_SECONDS: Final = 0.0002
"""How long the thread that reads the source may keep the interpreter while a review waits for it (Python: 5 ms)."""
READING_SECONDS: Final = 30
"""How long one reading of the source may take before it is said: a file system that hangs says nothing itself."""
LARGE_BLOCK_BYTES: Final = 512 * 1024
"""Blocks of memory from this size on are given back as they are freed (mallopt(3), M_MMAP_THRESHOLD). A usual review
has none: TLS is read into blocks of 256 KiB. The tables of a count or of a page have, and files read."""
SETTLED_SECONDS: Final = 3
"""How long after a change a file's times may stay the same at the next one: FAT counts in 2 s."""
RETRY_SECONDS: Final = 60
"""How often a ConfigMap with problems is read again: a clock that was wrong may be right by then."""
TALLY_SECONDS: Final = 1
"""How often it is looked whether there is a new snapshot to count the images of."""
TALLY_SHARE: Final = 20
"""So many times as long as a count took is waited before the next: 100,000 images take a second (measured)."""
CERTIFICATE_POLL_SECONDS: Final = 2
"""How often certificate and key are looked at."""

# --- the patcher ------------------------------------------------------------------------------------------------
TAG_CHARACTERS: Final = 128
"""A tag (OCI distribution specification 1.1, "Pulling manifests")."""
TAGS_OF_A_DAY: Final = 99
"""Patched tags of one source tag and day: two digits behind the date, so that Flux orders them as text."""
TAGS_OF_A_PATTERN: Final = 50
"""Tags that one line with a `*` may stand for: each is scanned every run."""
RECORDS_BYTES: Final = 900 * 1024
"""A ConfigMap of records that is larger takes no new record: those it has must be able to grow."""
CONFIGMAP_BYTES: Final = 1024 * 1024
"""The data of a ConfigMap (k8s.io/api/core/v1, MaxSecretSize, which holds for both)."""
EARLIER_SOURCES: Final = 40
"""Digests kept of what a tag was before: a tag that moves every night would fill its record otherwise."""
UNLISTED_RECORD_DAYS: Final = 30
"""How long the record of an image that no list names any more is kept."""
RECORD_MESSAGE_CHARACTERS: Final = 500
"""A record's message: one line for people; a program's last words may be long."""
RECORDS_LOCK_SECONDS: Final = 60
"""How long a write of records waits for others: each takes well below a second."""
TAG_LOCK_SECONDS: Final = 90
"""How long a run waits for another one that gives a tag a meaning: two requests to a registry, perhaps tried again; and
longer than the claim of a patcher that died (CLAIM_SECONDS)."""
LOCK_POLL_SECONDS: Final = 0.02
"""How often a lock that others hold is tried again."""

# --- the cluster ------------------------------------------------------------------------------------------------
API_CONNECT_SECONDS: Final = 3
"""Connecting to kube-apiserver, TLS included."""
API_READ_SECONDS: Final = 10
"""Waiting for the next bytes of an answer of kube-apiserver that is not a watch."""
LIST_PAGE_OBJECTS: Final = 500
"""Workloads of one page: what kubectl asks for at once (its --chunk-size)."""
LIST_AGAIN: Final = 3
"""How often one kind is listed anew, where kube-apiserver forgot the version that its pages are of (5 min)."""
WATCH_SECONDS: Final = 30
"""How long one watch lasts; then the names are listed anew, so that whatever a watch missed is made good."""
WATCH_JITTER_SECONDS: Final = 5
"""By how much one watch may last longer, so that replicas do not list at the same time."""
WATCH_SILENCE_SECONDS: Final = 40
"""A watch without any byte for so long is dead: kube-apiserver would have ended it by itself."""
WATCH_STEADY_SECONDS: Final = 1
"""A watch that ends earlier counts as failed, whatever was answered."""
RETRY_FIRST_SECONDS: Final = 0.5
"""The pause after the first failed request to kube-apiserver, doubled at each further one; jittered down to half."""
RETRY_MOST_SECONDS: Final = 5
"""The longest such pause: with it, what is fresh again is known within 15 s."""
FAILURES_IN_A_ROW: Final = 3
"""Watches that end at once before it is called a failure: one is what a restart looks like."""
LOOK_AGAIN_FAILING_SECONDS: Final = 1
"""How often a cluster that failed is looked at; this asks it nothing before its pause is over."""
GATHER_MILLISECONDS: Final = 100
"""How long changes of a cluster are gathered before they are read."""
STOP_SECONDS: Final = 1
"""How long the end of a watch is waited for."""
RECORD_WRITE_SECONDS: Final = 60
"""How long a record is tried to be written to a cluster: a restart of kube-apiserver takes less, a build
more."""
RECORD_BYTES_AT_ONCE: Final = 200 * 1024 * 1024
"""What a patcher may write to a cluster's records before it has to wait: 200 writes of full ConfigMaps, so that a run
of some dozens of images never waits."""
RECORD_BYTES_A_SECOND: Final = 1024 * 1024
"""What it may write from then on: a full ConfigMap, with the records of all images that wait. etcd keeps every version
until kube-apiserver has it compacted, five to ten minutes (--etcd-compaction-interval): so 800 MiB at the most, 1.4 GiB
of its file, of a quota of 2 GiB (--quota-backend-bytes)."""
CONFLICT_FIRST_SECONDS: Final = 0.05
"""The longest pause after the first conflict of a write, doubled at each further one; any part of it is waited."""
CONFLICT_MOST_SECONDS: Final = 2
"""The longest such pause: a write takes 0.1 s, and as many patchers as there are shards write."""
REFUSED_SECONDS: Final = 5
"""How long a write that is forbidden is tried again: kube-apiserver refuses everything while it starts, until it has
read the Roles (measured: about a second)."""
RETRY_AFTER_MOST_SECONDS: Final = 30
"""The longest Retry-After that is heeded; kube-apiserver itself says 1 (API Priority and Fairness)."""
CLAIM_SECONDS: Final = 60
"""How long a claim on a tag lasts that is not renewed: then its holder is taken for dead."""
CLAIM_RENEW_SECONDS: Final = 20
"""How often a claim is renewed: two tries may fail."""
CLAIM_POLL_SECONDS: Final = 1
"""How often a claim of others is looked at."""
EVENTS_OF_A_RUN: Final = 20
"""Events of one run, one a list with images that failed."""
EVENT_PAUSE_SECONDS: Final = 5
"""Between two Events: a broken list must not fill etcd."""
EVENT_RETRY_SECONDS: Final = 60
"""After an Event that could not be written."""
EVENT_REPEAT_SECONDS: Final = 62 * 60
"""When a problem that lasts is told again. The Event before must be gone, or there is none from then on: kube-apiserver
drops it after an hour (--event-ttl) and up to 60 s (k8s.io/apiserver v0.37.2, pkg/storage/etcd3/lease_manager.go)."""
EVENT_MESSAGE_BYTES: Final = 1000
"""An Event's message, UTF-8: kube-apiserver takes less than 1 KiB (k8s.io/api/events/v1, Event.note)."""

# --- certificates -----------------------------------------------------------------------------------------------
CA_DAYS: Final = 10 * 365
"""Validity of our own CA."""
LEAF_DAYS: Final = 90
"""Validity of a leaf."""
BACKDATE_SECONDS: Final = 60 * 60
"""How long before its making a certificate is valid: clocks differ."""
CERTIFICATE_SKEW_SECONDS: Final = BACKDATE_SECONDS // 2
"""By how much our clock and kube-apiserver's may differ for us to write certificates: beyond BACKDATE_SECONDS callers
would refuse what we issue, and replicas with right clocks would issue it anew, against us."""
RENEW_SHARE: Final = 2 / 3
"""The part of its life after which a certificate is renewed: a third is left to mend what hinders that."""
SETTLE_SECONDS: Final = 5
"""From reading a caBundle back until every kube-apiserver has heard of it; what it hears takes milliseconds."""
SECRET_READ_SECONDS: Final = 3
"""Waiting for kube-apiserver's answer about Secret and webhooks: it is asked again anyway, and the gate's end waits."""
SECRET_STEPS: Final = 4
"""Steps of one look at the Secret; each is a write that may lose against another replica's."""
ARM_AFTER_SECONDS: Final = 5
"""How long the gate must have been ready before it is asked: two probes, and the way of an endpoint to each node."""
ARM_POLL_SECONDS: Final = 5
"""How often the webhooks are looked at: a change of them, or a configuration made anew, is in force so much later."""
OWN_PORT_SECONDS: Final = 5
"""How often the gate connects to its own port, and how long that may take."""
OWN_PORT_FAILURES: Final = 3
"""Such connections that fail in a row before the gate is not ready: one may fail under a burst."""
PEM_BYTES: Final = 1024 * 1024
"""PEM of one Secret or caBundle: what etcd keeps of an object at most."""

# --- the patcher's programs -------------------------------------------------------------------------------------
PROGRAM_OUTPUT_BYTES: Final = 64 * 1024
"""The end of a program's standard output and error that is kept, each: errors come last."""
PROGRAM_LOOK_SECONDS: Final = 0.1
"""How often a running program is looked at: whether it ended, or shall."""
PROGRAM_END_SECONDS: Final = 5
"""From SIGTERM to SIGKILL; Copa takes 1 s to give its build up."""
PROGRAM_REST_SECONDS: Final = 1
"""How long what an ended program wrote is read on: a process that it left behind may hold the pipe for ever."""
PROGRAM_PROBE_SECONDS: Final = 30
"""A program that only says its version."""
CREDENTIAL_HELPER_SECONDS: Final = 30
"""A docker credential helper: it may ask a cloud for a token."""
SHOWN_ERROR_CHARACTERS: Final = 300
"""What is quoted of a program's or a registry's own error."""
REPORT_BYTES: Final = 256 * 1024 * 1024
"""A report of Trivy; those of large images with many findings have a few MB."""
DATABASE_UPDATE_SECONDS: Final = 600
"""Trivy's download of its database, about 60 MB."""
BUILDKIT_WAIT_SECONDS: Final = 60
"""How long BuildKit is waited for: as a sidecar it starts with us."""
BUILDKIT_ASK_SECONDS: Final = 5
"""One try to reach BuildKit."""
BUILDKIT_PAUSE_SECONDS: Final = 0.5
"""Between two such tries."""
COPA_SPARE_SECONDS: Final = 10
"""How much earlier than we would kill it Copa is told to give up: what it says then is worth more."""

# --- registries -------------------------------------------------------------------------------------------------
REGISTRY_TRIES: Final = 5
"""Tries of a request where trying again helps."""
REGISTRY_CONNECT_SECONDS: Final = 10
"""Connecting to a registry, TLS included."""
REGISTRY_READ_SECONDS: Final = 30
"""Waiting for the next bytes of a registry's answer."""
REGISTRY_EXCHANGE_SECONDS: Final = 120
"""One answer's body from its first byte to its last."""
REGISTRY_FIRST_PAUSE_SECONDS: Final = 0.5
"""The pause after the first failed try, doubled at each further one; jittered down to half."""
REGISTRY_MOST_PAUSE_SECONDS: Final = 60
"""The longest pause, and the longest Retry-After that is waited for."""
REGISTRY_REDIRECTS: Final = 5
"""Redirects followed; registries use one or two, to where their blobs lie."""
REGISTRY_CONNECTIONS: Final = 16
"""Open connections to one registry: as many as images are patched side by side."""
MANIFEST_ANSWER_BYTES: Final = 4 * 1024 * 1024
"""A manifest: what registries must take (OCI distribution specification 1.1, "Pushing Manifests")."""
CONFIG_BLOB_BYTES: Final = 8 * 1024 * 1024
"""An image's configuration."""
REGISTRY_ANSWER_BYTES: Final = 1024 * 1024
"""Any other answer: a page of tags, a token, an error."""
TAG_PAGES: Final = 1000
"""Pages of a repository's tags: beyond it a registry goes round in circles."""
TAGS_OF_A_PAGE: Final = 1000
"""How many tags a page is asked to have."""

# --- the patcher's run ------------------------------------------------------------------------------------------
JOBS: Final = 4
"""Images worked on side by side: a build waits for package mirrors and registries more than it computes."""
IMAGE_SECONDS: Final = 30 * 60
"""The time for one image: a large one with several platforms takes minutes, emulated ones ten times as long."""
RUN_SECONDS: Final = 4 * 60 * 60
"""The time for a run: less than six hours, the schedule that most will have, so that no two overlap."""
TERMINATION_BYTES: Final = 4096 - 1
"""A container's termination message (core/v1, MaxContainerTerminationMessageLength), without its end of line."""
