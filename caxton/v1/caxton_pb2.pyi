from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
REST_FIELD_NUMBER: _ClassVar[int]
rest: _descriptor.FieldDescriptor

class Json(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class AccessAuditRequest(_message.Message):
    __slots__ = ("who", "before", "limit")
    WHO_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    who: str
    before: int
    limit: int
    def __init__(self, who: _Optional[str] = ..., before: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class AccessCreateTokenRequest(_message.Message):
    __slots__ = ("body",)
    BODY_FIELD_NUMBER: _ClassVar[int]
    body: NewToken
    def __init__(self, body: _Optional[_Union[NewToken, _Mapping]] = ...) -> None: ...

class AccessIdentityRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AccessListTokensRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AccessRevokeTokenRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class AccessRotateTokenRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class AgentBody(_message.Message):
    __slots__ = ("cell", "created_at", "desired", "failed_turns", "fuel", "hooks", "in_flight", "kept_out", "last_error", "limits", "linked", "mailbox", "maker", "memory_kib", "name", "profile", "reason", "recovery", "restarts", "retry_at", "revision", "sent", "settings", "snapshot_error", "snapshot_seq", "state", "timers", "topics", "turn_us", "turns", "updated_at")
    CELL_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DESIRED_FIELD_NUMBER: _ClassVar[int]
    FAILED_TURNS_FIELD_NUMBER: _ClassVar[int]
    FUEL_FIELD_NUMBER: _ClassVar[int]
    HOOKS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    KEPT_OUT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    LINKED_FIELD_NUMBER: _ClassVar[int]
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    MAKER_FIELD_NUMBER: _ClassVar[int]
    MEMORY_KIB_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECOVERY_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    RETRY_AT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ERROR_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_SEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TIMERS_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    TURN_US_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    cell: int
    created_at: str
    desired: str
    failed_turns: int
    fuel: int
    hooks: _containers.RepeatedScalarFieldContainer[str]
    in_flight: int
    kept_out: KeptOutBody
    last_error: str
    limits: Json
    linked: bool
    mailbox: int
    maker: str
    memory_kib: int
    name: str
    profile: str
    reason: str
    recovery: RecoveryBody
    restarts: int
    retry_at: str
    revision: str
    sent: int
    settings: Json
    snapshot_error: str
    snapshot_seq: int
    state: str
    timers: int
    topics: _containers.RepeatedScalarFieldContainer[str]
    turn_us: int
    turns: int
    updated_at: str
    def __init__(self, cell: _Optional[int] = ..., created_at: _Optional[str] = ..., desired: _Optional[str] = ..., failed_turns: _Optional[int] = ..., fuel: _Optional[int] = ..., hooks: _Optional[_Iterable[str]] = ..., in_flight: _Optional[int] = ..., kept_out: _Optional[_Union[KeptOutBody, _Mapping]] = ..., last_error: _Optional[str] = ..., limits: _Optional[_Union[Json, _Mapping]] = ..., linked: _Optional[bool] = ..., mailbox: _Optional[int] = ..., maker: _Optional[str] = ..., memory_kib: _Optional[int] = ..., name: _Optional[str] = ..., profile: _Optional[str] = ..., reason: _Optional[str] = ..., recovery: _Optional[_Union[RecoveryBody, _Mapping]] = ..., restarts: _Optional[int] = ..., retry_at: _Optional[str] = ..., revision: _Optional[str] = ..., sent: _Optional[int] = ..., settings: _Optional[_Union[Json, _Mapping]] = ..., snapshot_error: _Optional[str] = ..., snapshot_seq: _Optional[int] = ..., state: _Optional[str] = ..., timers: _Optional[int] = ..., topics: _Optional[_Iterable[str]] = ..., turn_us: _Optional[int] = ..., turns: _Optional[int] = ..., updated_at: _Optional[str] = ...) -> None: ...

class AgentTotals(_message.Message):
    __slots__ = ("failed", "recovering", "running", "stopped", "suspended", "total", "unbuilt")
    FAILED_FIELD_NUMBER: _ClassVar[int]
    RECOVERING_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    UNBUILT_FIELD_NUMBER: _ClassVar[int]
    failed: int
    recovering: int
    running: int
    stopped: int
    suspended: int
    total: int
    unbuilt: int
    def __init__(self, failed: _Optional[int] = ..., recovering: _Optional[int] = ..., running: _Optional[int] = ..., stopped: _Optional[int] = ..., suspended: _Optional[int] = ..., total: _Optional[int] = ..., unbuilt: _Optional[int] = ...) -> None: ...

class Agents(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[AgentBody]
    next: str
    def __init__(self, items: _Optional[_Iterable[_Union[AgentBody, _Mapping]]] = ..., next: _Optional[str] = ...) -> None: ...

class AgentsDeployRequest(_message.Message):
    __slots__ = ("if_match", "body")
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    if_match: str
    body: DeployBody
    def __init__(self, if_match: _Optional[str] = ..., body: _Optional[_Union[DeployBody, _Mapping]] = ...) -> None: ...

class AgentsDrainRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AgentsListRequest(_message.Message):
    __slots__ = ("after", "limit")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after: str
    limit: int
    def __init__(self, after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class AgentsLogsRequest(_message.Message):
    __slots__ = ("name", "after", "before", "limit", "newest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    after: int
    before: int
    limit: int
    newest: bool
    def __init__(self, name: _Optional[str] = ..., after: _Optional[int] = ..., before: _Optional[int] = ..., limit: _Optional[int] = ..., newest: _Optional[bool] = ...) -> None: ...

class AgentsMessagesRequest(_message.Message):
    __slots__ = ("name", "after", "limit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    after: int
    limit: int
    def __init__(self, name: _Optional[str] = ..., after: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class AgentsPlanRequest(_message.Message):
    __slots__ = ("body",)
    BODY_FIELD_NUMBER: _ClassVar[int]
    body: DeployBody
    def __init__(self, body: _Optional[_Union[DeployBody, _Mapping]] = ...) -> None: ...

class AgentsRefusalsRequest(_message.Message):
    __slots__ = ("name", "after", "limit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    after: str
    limit: int
    def __init__(self, name: _Optional[str] = ..., after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class AgentsRemoveAnswer(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AgentsRemoveRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AgentsRestartRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AgentsResumeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AgentsShowRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AgentsStartRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AgentsStopRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AgentsSuspendRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ApprovalBody(_message.Message):
    __slots__ = ("approval", "at", "behind", "by", "cause", "edited", "message", "needs", "seq", "state", "until_at")
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_AT_FIELD_NUMBER: _ClassVar[int]
    approval: str
    at: str
    behind: int
    by: _containers.RepeatedScalarFieldContainer[str]
    cause: int
    edited: bool
    message: Json
    needs: _containers.RepeatedScalarFieldContainer[str]
    seq: int
    state: str
    until_at: str
    def __init__(self, approval: _Optional[str] = ..., at: _Optional[str] = ..., behind: _Optional[int] = ..., by: _Optional[_Iterable[str]] = ..., cause: _Optional[int] = ..., edited: _Optional[bool] = ..., message: _Optional[_Union[Json, _Mapping]] = ..., needs: _Optional[_Iterable[str]] = ..., seq: _Optional[int] = ..., state: _Optional[str] = ..., until_at: _Optional[str] = ...) -> None: ...

class ApprovalDetail(_message.Message):
    __slots__ = ("approval", "at", "behind", "by", "cause", "edited", "ended_at", "message", "needs", "said", "seq", "state", "steps", "until_at", "went_on")
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    SAID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_AT_FIELD_NUMBER: _ClassVar[int]
    WENT_ON_FIELD_NUMBER: _ClassVar[int]
    approval: str
    at: str
    behind: int
    by: _containers.RepeatedScalarFieldContainer[str]
    cause: int
    edited: bool
    ended_at: str
    message: Json
    needs: _containers.RepeatedScalarFieldContainer[str]
    said: Json
    seq: int
    state: str
    steps: _containers.RepeatedCompositeFieldContainer[ApprovalStepBody]
    until_at: str
    went_on: int
    def __init__(self, approval: _Optional[str] = ..., at: _Optional[str] = ..., behind: _Optional[int] = ..., by: _Optional[_Iterable[str]] = ..., cause: _Optional[int] = ..., edited: _Optional[bool] = ..., ended_at: _Optional[str] = ..., message: _Optional[_Union[Json, _Mapping]] = ..., needs: _Optional[_Iterable[str]] = ..., said: _Optional[_Union[Json, _Mapping]] = ..., seq: _Optional[int] = ..., state: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[ApprovalStepBody, _Mapping]]] = ..., until_at: _Optional[str] = ..., went_on: _Optional[int] = ...) -> None: ...

class ApprovalDone(_message.Message):
    __slots__ = ("needs", "seq", "state", "waiting", "went_on")
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    WENT_ON_FIELD_NUMBER: _ClassVar[int]
    needs: _containers.RepeatedScalarFieldContainer[str]
    seq: int
    state: str
    waiting: int
    went_on: int
    def __init__(self, needs: _Optional[_Iterable[str]] = ..., seq: _Optional[int] = ..., state: _Optional[str] = ..., waiting: _Optional[int] = ..., went_on: _Optional[int] = ...) -> None: ...

class ApprovalStepBody(_message.Message):
    __slots__ = ("approval", "at", "by", "held", "note", "sender", "seq", "step", "went_on")
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WENT_ON_FIELD_NUMBER: _ClassVar[int]
    approval: str
    at: str
    by: str
    held: int
    note: str
    sender: str
    seq: int
    step: str
    went_on: int
    def __init__(self, approval: _Optional[str] = ..., at: _Optional[str] = ..., by: _Optional[str] = ..., held: _Optional[int] = ..., note: _Optional[str] = ..., sender: _Optional[str] = ..., seq: _Optional[int] = ..., step: _Optional[str] = ..., went_on: _Optional[int] = ...) -> None: ...

class ApprovalSteps(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ApprovalStepBody]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[ApprovalStepBody, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class ApprovalTotals(_message.Message):
    __slots__ = ("rules", "waiting")
    RULES_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    rules: int
    waiting: int
    def __init__(self, rules: _Optional[int] = ..., waiting: _Optional[int] = ...) -> None: ...

class Approvals(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ApprovalBody]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[ApprovalBody, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class ApprovalsApproveRequest(_message.Message):
    __slots__ = ("seq", "body")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    seq: int
    body: Decision
    def __init__(self, seq: _Optional[int] = ..., body: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class ApprovalsEditRequest(_message.Message):
    __slots__ = ("seq", "body")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    seq: int
    body: Edit
    def __init__(self, seq: _Optional[int] = ..., body: _Optional[_Union[Edit, _Mapping]] = ...) -> None: ...

class ApprovalsListRequest(_message.Message):
    __slots__ = ("after", "limit")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after: int
    limit: int
    def __init__(self, after: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ApprovalsListStepsRequest(_message.Message):
    __slots__ = ("before", "limit")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    before: int
    limit: int
    def __init__(self, before: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ApprovalsRefuseRequest(_message.Message):
    __slots__ = ("seq", "body")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    seq: int
    body: Decision
    def __init__(self, seq: _Optional[int] = ..., body: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class ApprovalsShowApprovalRequest(_message.Message):
    __slots__ = ("seq",)
    SEQ_FIELD_NUMBER: _ClassVar[int]
    seq: int
    def __init__(self, seq: _Optional[int] = ...) -> None: ...

class Audit(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[AuditBody]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[AuditBody, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class AuditBody(_message.Message):
    __slots__ = ("address", "at", "method", "path", "request_id", "role", "seq", "status", "token", "who")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    address: str
    at: str
    method: str
    path: str
    request_id: str
    role: str
    seq: int
    status: int
    token: str
    who: str
    def __init__(self, address: _Optional[str] = ..., at: _Optional[str] = ..., method: _Optional[str] = ..., path: _Optional[str] = ..., request_id: _Optional[str] = ..., role: _Optional[str] = ..., seq: _Optional[int] = ..., status: _Optional[int] = ..., token: _Optional[str] = ..., who: _Optional[str] = ...) -> None: ...

class BranchBody(_message.Message):
    __slots__ = ("awarded", "deadline_at", "end", "participant", "reason", "state")
    AWARDED_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_AT_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    awarded: bool
    deadline_at: str
    end: str
    participant: str
    reason: str
    state: str
    def __init__(self, awarded: _Optional[bool] = ..., deadline_at: _Optional[str] = ..., end: _Optional[str] = ..., participant: _Optional[str] = ..., reason: _Optional[str] = ..., state: _Optional[str] = ...) -> None: ...

class BreakBody(_message.Message):
    __slots__ = ("by", "count", "created_at", "ended", "filter", "held", "hits", "id", "name", "until_at")
    BY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNTIL_AT_FIELD_NUMBER: _ClassVar[int]
    by: str
    count: int
    created_at: str
    ended: str
    filter: str
    held: int
    hits: int
    id: str
    name: str
    until_at: str
    def __init__(self, by: _Optional[str] = ..., count: _Optional[int] = ..., created_at: _Optional[str] = ..., ended: _Optional[str] = ..., filter: _Optional[str] = ..., held: _Optional[int] = ..., hits: _Optional[int] = ..., id: _Optional[str] = ..., name: _Optional[str] = ..., until_at: _Optional[str] = ...) -> None: ...

class BreakGone(_message.Message):
    __slots__ = ("by", "count", "created_at", "ended", "filter", "held", "hits", "id", "messages", "name", "until_at")
    BY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNTIL_AT_FIELD_NUMBER: _ClassVar[int]
    by: str
    count: int
    created_at: str
    ended: str
    filter: str
    held: int
    hits: int
    id: str
    messages: int
    name: str
    until_at: str
    def __init__(self, by: _Optional[str] = ..., count: _Optional[int] = ..., created_at: _Optional[str] = ..., ended: _Optional[str] = ..., filter: _Optional[str] = ..., held: _Optional[int] = ..., hits: _Optional[int] = ..., id: _Optional[str] = ..., messages: _Optional[int] = ..., name: _Optional[str] = ..., until_at: _Optional[str] = ...) -> None: ...

class Breaks(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[BreakBody]
    next: Json
    def __init__(self, items: _Optional[_Iterable[_Union[BreakBody, _Mapping]]] = ..., next: _Optional[_Union[Json, _Mapping]] = ...) -> None: ...

class BreaksAddBreakRequest(_message.Message):
    __slots__ = ("body",)
    BODY_FIELD_NUMBER: _ClassVar[int]
    body: NewBreak
    def __init__(self, body: _Optional[_Union[NewBreak, _Mapping]] = ...) -> None: ...

class BreaksListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BreaksRemoveBreakRequest(_message.Message):
    __slots__ = ("id", "then")
    ID_FIELD_NUMBER: _ClassVar[int]
    THEN_FIELD_NUMBER: _ClassVar[int]
    id: str
    then: str
    def __init__(self, id: _Optional[str] = ..., then: _Optional[str] = ...) -> None: ...

class BreaksRemoveRequest(_message.Message):
    __slots__ = ("then",)
    THEN_FIELD_NUMBER: _ClassVar[int]
    then: str
    def __init__(self, then: _Optional[str] = ...) -> None: ...

class CellBody(_message.Message):
    __slots__ = ("agents", "calls", "calls_reason", "cpu_s", "handoffs", "in_flight", "no", "pid", "restarts", "rss_kib", "state")
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    CALLS_REASON_FIELD_NUMBER: _ClassVar[int]
    CPU_S_FIELD_NUMBER: _ClassVar[int]
    HANDOFFS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    NO_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    RSS_KIB_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    agents: int
    calls: str
    calls_reason: str
    cpu_s: float
    handoffs: int
    in_flight: int
    no: int
    pid: int
    restarts: int
    rss_kib: int
    state: str
    def __init__(self, agents: _Optional[int] = ..., calls: _Optional[str] = ..., calls_reason: _Optional[str] = ..., cpu_s: _Optional[float] = ..., handoffs: _Optional[int] = ..., in_flight: _Optional[int] = ..., no: _Optional[int] = ..., pid: _Optional[int] = ..., restarts: _Optional[int] = ..., rss_kib: _Optional[int] = ..., state: _Optional[str] = ...) -> None: ...

class CheckBody(_message.Message):
    __slots__ = ("detail", "ms", "passed", "step")
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    detail: str
    ms: float
    passed: bool
    step: str
    def __init__(self, detail: _Optional[str] = ..., ms: _Optional[float] = ..., passed: _Optional[bool] = ..., step: _Optional[str] = ...) -> None: ...

class ConversationBody(_message.Message):
    __slots__ = ("deadline_at", "id", "initiator", "last_at", "messages", "outcome", "parent", "participants", "phase", "pinned", "protocol", "referee", "started_at", "state", "violations")
    DEADLINE_AT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    INITIATOR_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    REFEREE_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    deadline_at: str
    id: str
    initiator: str
    last_at: str
    messages: int
    outcome: str
    parent: str
    participants: _containers.RepeatedScalarFieldContainer[str]
    phase: str
    pinned: bool
    protocol: str
    referee: str
    started_at: str
    state: str
    violations: int
    def __init__(self, deadline_at: _Optional[str] = ..., id: _Optional[str] = ..., initiator: _Optional[str] = ..., last_at: _Optional[str] = ..., messages: _Optional[int] = ..., outcome: _Optional[str] = ..., parent: _Optional[str] = ..., participants: _Optional[_Iterable[str]] = ..., phase: _Optional[str] = ..., pinned: _Optional[bool] = ..., protocol: _Optional[str] = ..., referee: _Optional[str] = ..., started_at: _Optional[str] = ..., state: _Optional[str] = ..., violations: _Optional[int] = ...) -> None: ...

class ConversationDetail(_message.Message):
    __slots__ = ("branches", "deadline_at", "held", "id", "initiator", "items", "last_at", "messages", "next", "outcome", "parent", "participants", "phase", "pinned", "protocol", "referee", "started_at", "state", "violations")
    BRANCHES_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_AT_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    INITIATOR_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    REFEREE_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    branches: _containers.RepeatedCompositeFieldContainer[BranchBody]
    deadline_at: str
    held: _containers.RepeatedCompositeFieldContainer[HeldBody]
    id: str
    initiator: str
    items: _containers.RepeatedCompositeFieldContainer[MessageBody]
    last_at: str
    messages: int
    next: int
    outcome: str
    parent: str
    participants: _containers.RepeatedScalarFieldContainer[str]
    phase: str
    pinned: bool
    protocol: str
    referee: str
    started_at: str
    state: str
    violations: int
    def __init__(self, branches: _Optional[_Iterable[_Union[BranchBody, _Mapping]]] = ..., deadline_at: _Optional[str] = ..., held: _Optional[_Iterable[_Union[HeldBody, _Mapping]]] = ..., id: _Optional[str] = ..., initiator: _Optional[str] = ..., items: _Optional[_Iterable[_Union[MessageBody, _Mapping]]] = ..., last_at: _Optional[str] = ..., messages: _Optional[int] = ..., next: _Optional[int] = ..., outcome: _Optional[str] = ..., parent: _Optional[str] = ..., participants: _Optional[_Iterable[str]] = ..., phase: _Optional[str] = ..., pinned: _Optional[bool] = ..., protocol: _Optional[str] = ..., referee: _Optional[str] = ..., started_at: _Optional[str] = ..., state: _Optional[str] = ..., violations: _Optional[int] = ...) -> None: ...

class Conversations(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ConversationBody]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[ConversationBody, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class ConversationsListRequest(_message.Message):
    __slots__ = ("agent", "before", "limit")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    agent: str
    before: int
    limit: int
    def __init__(self, agent: _Optional[str] = ..., before: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ConversationsShowRequest(_message.Message):
    __slots__ = ("id", "after", "limit")
    ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    id: str
    after: int
    limit: int
    def __init__(self, id: _Optional[str] = ..., after: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class DaemonStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DaemonStopRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeadLetterBody(_message.Message):
    __slots__ = ("agent", "at", "code", "ended", "ended_at", "message", "reason", "seq", "went_on")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    WENT_ON_FIELD_NUMBER: _ClassVar[int]
    agent: str
    at: str
    code: str
    ended: str
    ended_at: str
    message: Json
    reason: str
    seq: int
    went_on: int
    def __init__(self, agent: _Optional[str] = ..., at: _Optional[str] = ..., code: _Optional[str] = ..., ended: _Optional[str] = ..., ended_at: _Optional[str] = ..., message: _Optional[_Union[Json, _Mapping]] = ..., reason: _Optional[str] = ..., seq: _Optional[int] = ..., went_on: _Optional[int] = ...) -> None: ...

class DeadLetterOfMessage(_message.Message):
    __slots__ = ("agent", "code", "reason")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    agent: str
    code: str
    reason: str
    def __init__(self, agent: _Optional[str] = ..., code: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class DeadLetters(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[DeadLetterBody]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[DeadLetterBody, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class DeadLettersDropRequest(_message.Message):
    __slots__ = ("body",)
    BODY_FIELD_NUMBER: _ClassVar[int]
    body: LetterChoice
    def __init__(self, body: _Optional[_Union[LetterChoice, _Mapping]] = ...) -> None: ...

class DeadLettersListRequest(_message.Message):
    __slots__ = ("agent", "code", "seq", "waiting", "before", "limit")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    agent: str
    code: str
    seq: int
    waiting: bool
    before: int
    limit: int
    def __init__(self, agent: _Optional[str] = ..., code: _Optional[str] = ..., seq: _Optional[int] = ..., waiting: _Optional[bool] = ..., before: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class DeadLettersRedeliverRequest(_message.Message):
    __slots__ = ("body",)
    BODY_FIELD_NUMBER: _ClassVar[int]
    body: Redelivered
    def __init__(self, body: _Optional[_Union[Redelivered, _Mapping]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("note", "through")
    NOTE_FIELD_NUMBER: _ClassVar[int]
    THROUGH_FIELD_NUMBER: _ClassVar[int]
    note: str
    through: str
    def __init__(self, note: _Optional[str] = ..., through: _Optional[str] = ...) -> None: ...

class Delay(_message.Message):
    __slots__ = ("delay",)
    DELAY_FIELD_NUMBER: _ClassVar[int]
    delay: str
    def __init__(self, delay: _Optional[str] = ...) -> None: ...

class DeployBody(_message.Message):
    __slots__ = ("canary_stages", "compare", "configured", "drain", "drain_s", "fresh_state", "gate", "gate_last", "gate_s", "limits", "name", "probation_s", "probation_turns", "probe", "profile", "recover", "rollback_on", "settings", "shadow_s", "strategy", "wait", "wasm_module")
    CANARY_STAGES_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    CONFIGURED_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    DRAIN_S_FIELD_NUMBER: _ClassVar[int]
    FRESH_STATE_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    GATE_LAST_FIELD_NUMBER: _ClassVar[int]
    GATE_S_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROBATION_S_FIELD_NUMBER: _ClassVar[int]
    PROBATION_TURNS_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    RECOVER_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_ON_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    SHADOW_S_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    WASM_MODULE_FIELD_NUMBER: _ClassVar[int]
    canary_stages: str
    compare: str
    configured: bool
    drain: bool
    drain_s: float
    fresh_state: bool
    gate: str
    gate_last: int
    gate_s: float
    limits: Json
    name: str
    probation_s: float
    probation_turns: int
    probe: bool
    profile: str
    recover: str
    rollback_on: str
    settings: Json
    shadow_s: float
    strategy: str
    wait: bool
    wasm_module: bytes
    def __init__(self, canary_stages: _Optional[str] = ..., compare: _Optional[str] = ..., configured: _Optional[bool] = ..., drain: _Optional[bool] = ..., drain_s: _Optional[float] = ..., fresh_state: _Optional[bool] = ..., gate: _Optional[str] = ..., gate_last: _Optional[int] = ..., gate_s: _Optional[float] = ..., limits: _Optional[_Union[Json, _Mapping]] = ..., name: _Optional[str] = ..., probation_s: _Optional[float] = ..., probation_turns: _Optional[int] = ..., probe: _Optional[bool] = ..., profile: _Optional[str] = ..., recover: _Optional[str] = ..., rollback_on: _Optional[str] = ..., settings: _Optional[_Union[Json, _Mapping]] = ..., shadow_s: _Optional[float] = ..., strategy: _Optional[str] = ..., wait: _Optional[bool] = ..., wasm_module: _Optional[bytes] = ...) -> None: ...

class DeploymentBody(_message.Message):
    __slots__ = ("agent", "configured", "created_at", "gate", "id", "memory", "memory_reason", "previous", "progress", "reason", "revision", "state", "strategy", "takes_back", "timings", "unchanged", "updated_at", "validation", "waits")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CONFIGURED_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    MEMORY_REASON_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    TAKES_BACK_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    agent: str
    configured: bool
    created_at: str
    gate: GateBody
    id: str
    memory: str
    memory_reason: str
    previous: str
    progress: Json
    reason: str
    revision: str
    state: str
    strategy: str
    takes_back: str
    timings: TimingsBody
    unchanged: bool
    updated_at: str
    validation: _containers.RepeatedCompositeFieldContainer[CheckBody]
    waits: bool
    def __init__(self, agent: _Optional[str] = ..., configured: _Optional[bool] = ..., created_at: _Optional[str] = ..., gate: _Optional[_Union[GateBody, _Mapping]] = ..., id: _Optional[str] = ..., memory: _Optional[str] = ..., memory_reason: _Optional[str] = ..., previous: _Optional[str] = ..., progress: _Optional[_Union[Json, _Mapping]] = ..., reason: _Optional[str] = ..., revision: _Optional[str] = ..., state: _Optional[str] = ..., strategy: _Optional[str] = ..., takes_back: _Optional[str] = ..., timings: _Optional[_Union[TimingsBody, _Mapping]] = ..., unchanged: _Optional[bool] = ..., updated_at: _Optional[str] = ..., validation: _Optional[_Iterable[_Union[CheckBody, _Mapping]]] = ..., waits: _Optional[bool] = ...) -> None: ...

class Deployments(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[DeploymentBody]
    next: str
    def __init__(self, items: _Optional[_Iterable[_Union[DeploymentBody, _Mapping]]] = ..., next: _Optional[str] = ...) -> None: ...

class DeploymentsAbortRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DeploymentsAskLiveRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DeploymentsListRequest(_message.Message):
    __slots__ = ("agent", "before", "limit")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    agent: str
    before: str
    limit: int
    def __init__(self, agent: _Optional[str] = ..., before: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class DeploymentsPromoteRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DeploymentsRollbackRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DeploymentsShowRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DfEntries(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[DfEntryBody]
    next: str
    def __init__(self, items: _Optional[_Iterable[_Union[DfEntryBody, _Mapping]]] = ..., next: _Optional[str] = ...) -> None: ...

class DfEntryBody(_message.Message):
    __slots__ = ("description", "expires_at", "name", "registered_at")
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_FIELD_NUMBER: _ClassVar[int]
    description: Json
    expires_at: str
    name: str
    registered_at: str
    def __init__(self, description: _Optional[_Union[Json, _Mapping]] = ..., expires_at: _Optional[str] = ..., name: _Optional[str] = ..., registered_at: _Optional[str] = ...) -> None: ...

class DfRegistrationsRequest(_message.Message):
    __slots__ = ("after", "limit")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after: str
    limit: int
    def __init__(self, after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class DfSearchBody(_message.Message):
    __slots__ = ("constraints", "description")
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    constraints: Json
    description: Json
    def __init__(self, constraints: _Optional[_Union[Json, _Mapping]] = ..., description: _Optional[_Union[Json, _Mapping]] = ...) -> None: ...

class DfSearchRequest(_message.Message):
    __slots__ = ("body",)
    BODY_FIELD_NUMBER: _ClassVar[int]
    body: DfSearchBody
    def __init__(self, body: _Optional[_Union[DfSearchBody, _Mapping]] = ...) -> None: ...

class DfSubscriptionBody(_message.Message):
    __slots__ = ("content", "conversation_id", "language", "since", "subscriber")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBER_FIELD_NUMBER: _ClassVar[int]
    content: Json
    conversation_id: str
    language: str
    since: str
    subscriber: str
    def __init__(self, content: _Optional[_Union[Json, _Mapping]] = ..., conversation_id: _Optional[str] = ..., language: _Optional[str] = ..., since: _Optional[str] = ..., subscriber: _Optional[str] = ...) -> None: ...

class DfSubscriptions(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[DfSubscriptionBody]
    next: str
    def __init__(self, items: _Optional[_Iterable[_Union[DfSubscriptionBody, _Mapping]]] = ..., next: _Optional[str] = ...) -> None: ...

class DfSubscriptionsRequest(_message.Message):
    __slots__ = ("after", "limit")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after: str
    limit: int
    def __init__(self, after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class Edit(_message.Message):
    __slots__ = ("content", "performative", "receiver")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    PERFORMATIVE_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_FIELD_NUMBER: _ClassVar[int]
    content: Json
    performative: str
    receiver: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, content: _Optional[_Union[Json, _Mapping]] = ..., performative: _Optional[str] = ..., receiver: _Optional[_Iterable[str]] = ...) -> None: ...

class EffectBody(_message.Message):
    __slots__ = ("cancelled", "command", "failed", "informed", "interrupted", "kind", "name", "open", "pid", "reason", "refused", "running", "starts")
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    INFORMED_FIELD_NUMBER: _ClassVar[int]
    INTERRUPTED_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    cancelled: int
    command: _containers.RepeatedScalarFieldContainer[str]
    failed: int
    informed: int
    interrupted: int
    kind: str
    name: str
    open: int
    pid: int
    reason: str
    refused: int
    running: bool
    starts: int
    def __init__(self, cancelled: _Optional[int] = ..., command: _Optional[_Iterable[str]] = ..., failed: _Optional[int] = ..., informed: _Optional[int] = ..., interrupted: _Optional[int] = ..., kind: _Optional[str] = ..., name: _Optional[str] = ..., open: _Optional[int] = ..., pid: _Optional[int] = ..., reason: _Optional[str] = ..., refused: _Optional[int] = ..., running: _Optional[bool] = ..., starts: _Optional[int] = ...) -> None: ...

class EffectList(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[EffectBody]
    next: Json
    def __init__(self, items: _Optional[_Iterable[_Union[EffectBody, _Mapping]]] = ..., next: _Optional[_Union[Json, _Mapping]] = ...) -> None: ...

class EffectsListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Event(_message.Message):
    __slots__ = ("seq", "kind", "data")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    seq: int
    kind: str
    data: Json
    def __init__(self, seq: _Optional[int] = ..., kind: _Optional[str] = ..., data: _Optional[_Union[Json, _Mapping]] = ...) -> None: ...

class EventsWatchRequest(_message.Message):
    __slots__ = ("kinds", "agent", "conversation", "after", "back", "last_event_id")
    KINDS_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BACK_FIELD_NUMBER: _ClassVar[int]
    LAST_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    kinds: str
    agent: str
    conversation: str
    after: int
    back: int
    last_event_id: str
    def __init__(self, kinds: _Optional[str] = ..., agent: _Optional[str] = ..., conversation: _Optional[str] = ..., after: _Optional[int] = ..., back: _Optional[int] = ..., last_event_id: _Optional[str] = ...) -> None: ...

class ExportBody(_message.Message):
    __slots__ = ("agent", "bundle", "lost", "memory_bytes", "moment", "ran", "revision", "subscriptions", "timers")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    MOMENT_FIELD_NUMBER: _ClassVar[int]
    RAN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    TIMERS_FIELD_NUMBER: _ClassVar[int]
    agent: str
    bundle: str
    lost: _containers.RepeatedScalarFieldContainer[str]
    memory_bytes: int
    moment: int
    ran: bool
    revision: str
    subscriptions: int
    timers: int
    def __init__(self, agent: _Optional[str] = ..., bundle: _Optional[str] = ..., lost: _Optional[_Iterable[str]] = ..., memory_bytes: _Optional[int] = ..., moment: _Optional[int] = ..., ran: _Optional[bool] = ..., revision: _Optional[str] = ..., subscriptions: _Optional[int] = ..., timers: _Optional[int] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = ("force", "keep")
    FORCE_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    force: bool
    keep: bool
    def __init__(self, force: _Optional[bool] = ..., keep: _Optional[bool] = ...) -> None: ...

class GateBody(_message.Message):
    __slots__ = ("asking", "conversations", "elapsed_ms", "mode", "pinned", "reason", "stopped", "timed_out", "totals", "turns", "unchecked")
    ASKING_FIELD_NUMBER: _ClassVar[int]
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_MS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    TIMED_OUT_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    UNCHECKED_FIELD_NUMBER: _ClassVar[int]
    asking: _containers.RepeatedScalarFieldContainer[str]
    conversations: int
    elapsed_ms: float
    mode: str
    pinned: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    stopped: bool
    timed_out: bool
    totals: ReplayTotals
    turns: _containers.RepeatedCompositeFieldContainer[ReplayTurn]
    unchecked: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, asking: _Optional[_Iterable[str]] = ..., conversations: _Optional[int] = ..., elapsed_ms: _Optional[float] = ..., mode: _Optional[str] = ..., pinned: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ..., stopped: _Optional[bool] = ..., timed_out: _Optional[bool] = ..., totals: _Optional[_Union[ReplayTotals, _Mapping]] = ..., turns: _Optional[_Iterable[_Union[ReplayTurn, _Mapping]]] = ..., unchecked: _Optional[_Iterable[str]] = ...) -> None: ...

class HealthBody(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: str
    def __init__(self, status: _Optional[str] = ...) -> None: ...

class HeldBody(_message.Message):
    __slots__ = ("at", "behind", "break_id", "cause", "due_at", "edited", "message", "seq", "state")
    AT_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    BREAK_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    at: str
    behind: int
    break_id: str
    cause: int
    due_at: str
    edited: bool
    message: Json
    seq: int
    state: str
    def __init__(self, at: _Optional[str] = ..., behind: _Optional[int] = ..., break_id: _Optional[str] = ..., cause: _Optional[int] = ..., due_at: _Optional[str] = ..., edited: _Optional[bool] = ..., message: _Optional[_Union[Json, _Mapping]] = ..., seq: _Optional[int] = ..., state: _Optional[str] = ...) -> None: ...

class HeldDelayRequest(_message.Message):
    __slots__ = ("seq", "if_match", "body")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    seq: int
    if_match: str
    body: Delay
    def __init__(self, seq: _Optional[int] = ..., if_match: _Optional[str] = ..., body: _Optional[_Union[Delay, _Mapping]] = ...) -> None: ...

class HeldDetail(_message.Message):
    __slots__ = ("at", "behind", "break_id", "cause", "due_at", "edited", "ended_at", "message", "said", "seq", "state", "went_on")
    AT_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    BREAK_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SAID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WENT_ON_FIELD_NUMBER: _ClassVar[int]
    at: str
    behind: int
    break_id: str
    cause: int
    due_at: str
    edited: bool
    ended_at: str
    message: Json
    said: Json
    seq: int
    state: str
    went_on: int
    def __init__(self, at: _Optional[str] = ..., behind: _Optional[int] = ..., break_id: _Optional[str] = ..., cause: _Optional[int] = ..., due_at: _Optional[str] = ..., edited: _Optional[bool] = ..., ended_at: _Optional[str] = ..., message: _Optional[_Union[Json, _Mapping]] = ..., said: _Optional[_Union[Json, _Mapping]] = ..., seq: _Optional[int] = ..., state: _Optional[str] = ..., went_on: _Optional[int] = ...) -> None: ...

class HeldDropRequest(_message.Message):
    __slots__ = ("seq", "if_match")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    seq: int
    if_match: str
    def __init__(self, seq: _Optional[int] = ..., if_match: _Optional[str] = ...) -> None: ...

class HeldDropSomeRequest(_message.Message):
    __slots__ = ("body",)
    BODY_FIELD_NUMBER: _ClassVar[int]
    body: Some
    def __init__(self, body: _Optional[_Union[Some, _Mapping]] = ...) -> None: ...

class HeldEditRequest(_message.Message):
    __slots__ = ("seq", "if_match", "body")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    seq: int
    if_match: str
    body: Edit
    def __init__(self, seq: _Optional[int] = ..., if_match: _Optional[str] = ..., body: _Optional[_Union[Edit, _Mapping]] = ...) -> None: ...

class HeldGone(_message.Message):
    __slots__ = ("held", "seq", "state", "went_on")
    HELD_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WENT_ON_FIELD_NUMBER: _ClassVar[int]
    held: int
    seq: int
    state: str
    went_on: int
    def __init__(self, held: _Optional[int] = ..., seq: _Optional[int] = ..., state: _Optional[str] = ..., went_on: _Optional[int] = ...) -> None: ...

class HeldList(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[HeldBody]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[HeldBody, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class HeldListRequest(_message.Message):
    __slots__ = ("after", "limit", "conversation", "break_id")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    BREAK_ID_FIELD_NUMBER: _ClassVar[int]
    after: int
    limit: int
    conversation: str
    break_id: str
    def __init__(self, after: _Optional[int] = ..., limit: _Optional[int] = ..., conversation: _Optional[str] = ..., break_id: _Optional[str] = ...) -> None: ...

class HeldReleaseRequest(_message.Message):
    __slots__ = ("seq", "if_match")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    seq: int
    if_match: str
    def __init__(self, seq: _Optional[int] = ..., if_match: _Optional[str] = ...) -> None: ...

class HeldReleaseSomeRequest(_message.Message):
    __slots__ = ("body",)
    BODY_FIELD_NUMBER: _ClassVar[int]
    body: Some
    def __init__(self, body: _Optional[_Union[Some, _Mapping]] = ...) -> None: ...

class HeldShowRequest(_message.Message):
    __slots__ = ("seq",)
    SEQ_FIELD_NUMBER: _ClassVar[int]
    seq: int
    def __init__(self, seq: _Optional[int] = ...) -> None: ...

class HeldTotals(_message.Message):
    __slots__ = ("break_points", "messages")
    BREAK_POINTS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    break_points: int
    messages: int
    def __init__(self, break_points: _Optional[int] = ..., messages: _Optional[int] = ...) -> None: ...

class IdentityBody(_message.Message):
    __slots__ = ("agents", "expires_at", "name", "role")
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    agents: _containers.RepeatedScalarFieldContainer[str]
    expires_at: str
    name: str
    role: str
    def __init__(self, agents: _Optional[_Iterable[str]] = ..., expires_at: _Optional[str] = ..., name: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class ImportBody(_message.Message):
    __slots__ = ("agent", "deployment", "lost", "memory_bytes")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    agent: str
    deployment: DeploymentBody
    lost: _containers.RepeatedScalarFieldContainer[str]
    memory_bytes: int
    def __init__(self, agent: _Optional[str] = ..., deployment: _Optional[_Union[DeploymentBody, _Mapping]] = ..., lost: _Optional[_Iterable[str]] = ..., memory_bytes: _Optional[int] = ...) -> None: ...

class ImportRequest(_message.Message):
    __slots__ = ("bundle", "force")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    bundle: bytes
    force: bool
    def __init__(self, bundle: _Optional[bytes] = ..., force: _Optional[bool] = ...) -> None: ...

class JournalBody(_message.Message):
    __slots__ = ("bytes", "commit_us", "commits", "committed_seq", "failed", "first_seq", "last_seq", "rows", "waiting_rows")
    BYTES_FIELD_NUMBER: _ClassVar[int]
    COMMIT_US_FIELD_NUMBER: _ClassVar[int]
    COMMITS_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_SEQ_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    WAITING_ROWS_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    commit_us: int
    commits: int
    committed_seq: int
    failed: str
    first_seq: int
    last_seq: int
    rows: int
    waiting_rows: int
    def __init__(self, bytes: _Optional[int] = ..., commit_us: _Optional[int] = ..., commits: _Optional[int] = ..., committed_seq: _Optional[int] = ..., failed: _Optional[str] = ..., first_seq: _Optional[int] = ..., last_seq: _Optional[int] = ..., rows: _Optional[int] = ..., waiting_rows: _Optional[int] = ...) -> None: ...

class JournalDetail(_message.Message):
    __slots__ = ("checked_pages", "clock_doubt", "counted_bytes", "failed", "file_bytes", "first_at", "first_seq", "keep_days", "keep_mib", "keys_days", "last_seq", "memories", "memory_mib", "oldest_unfinished", "pages", "pinned", "removed_upto", "trouble", "unfinished", "used_bytes")
    CHECKED_PAGES_FIELD_NUMBER: _ClassVar[int]
    CLOCK_DOUBT_FIELD_NUMBER: _ClassVar[int]
    COUNTED_BYTES_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    FILE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FIRST_AT_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    KEEP_DAYS_FIELD_NUMBER: _ClassVar[int]
    KEEP_MIB_FIELD_NUMBER: _ClassVar[int]
    KEYS_DAYS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    MEMORIES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_MIB_FIELD_NUMBER: _ClassVar[int]
    OLDEST_UNFINISHED_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_UPTO_FIELD_NUMBER: _ClassVar[int]
    TROUBLE_FIELD_NUMBER: _ClassVar[int]
    UNFINISHED_FIELD_NUMBER: _ClassVar[int]
    USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    checked_pages: int
    clock_doubt: str
    counted_bytes: int
    failed: str
    file_bytes: int
    first_at: str
    first_seq: int
    keep_days: int
    keep_mib: int
    keys_days: int
    last_seq: int
    memories: _containers.RepeatedCompositeFieldContainer[OfAgentBody]
    memory_mib: int
    oldest_unfinished: int
    pages: int
    pinned: NeededBody
    removed_upto: int
    trouble: str
    unfinished: _containers.RepeatedCompositeFieldContainer[OfAgentBody]
    used_bytes: int
    def __init__(self, checked_pages: _Optional[int] = ..., clock_doubt: _Optional[str] = ..., counted_bytes: _Optional[int] = ..., failed: _Optional[str] = ..., file_bytes: _Optional[int] = ..., first_at: _Optional[str] = ..., first_seq: _Optional[int] = ..., keep_days: _Optional[int] = ..., keep_mib: _Optional[int] = ..., keys_days: _Optional[int] = ..., last_seq: _Optional[int] = ..., memories: _Optional[_Iterable[_Union[OfAgentBody, _Mapping]]] = ..., memory_mib: _Optional[int] = ..., oldest_unfinished: _Optional[int] = ..., pages: _Optional[int] = ..., pinned: _Optional[_Union[NeededBody, _Mapping]] = ..., removed_upto: _Optional[int] = ..., trouble: _Optional[str] = ..., unfinished: _Optional[_Iterable[_Union[OfAgentBody, _Mapping]]] = ..., used_bytes: _Optional[int] = ...) -> None: ...

class JournalShowRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class JournalTrustClockRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class KeptOutBody(_message.Message):
    __slots__ = ("deployment", "reason", "revision", "why")
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    deployment: str
    reason: str
    revision: str
    why: str
    def __init__(self, deployment: _Optional[str] = ..., reason: _Optional[str] = ..., revision: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...

class LeaveRequest(_message.Message):
    __slots__ = ("moment",)
    MOMENT_FIELD_NUMBER: _ClassVar[int]
    moment: int
    def __init__(self, moment: _Optional[int] = ...) -> None: ...

class LetterChoice(_message.Message):
    __slots__ = ("agent", "code", "filter", "limit", "seqs")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SEQS_FIELD_NUMBER: _ClassVar[int]
    agent: str
    code: str
    filter: str
    limit: int
    seqs: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, agent: _Optional[str] = ..., code: _Optional[str] = ..., filter: _Optional[str] = ..., limit: _Optional[int] = ..., seqs: _Optional[_Iterable[int]] = ...) -> None: ...

class LetterGone(_message.Message):
    __slots__ = ("agent", "conversation_id", "seq", "went_on")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    WENT_ON_FIELD_NUMBER: _ClassVar[int]
    agent: str
    conversation_id: str
    seq: int
    went_on: int
    def __init__(self, agent: _Optional[str] = ..., conversation_id: _Optional[str] = ..., seq: _Optional[int] = ..., went_on: _Optional[int] = ...) -> None: ...

class LetterKept(_message.Message):
    __slots__ = ("agent", "hint", "reason", "seq")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    agent: str
    hint: str
    reason: str
    seq: int
    def __init__(self, agent: _Optional[str] = ..., hint: _Optional[str] = ..., reason: _Optional[str] = ..., seq: _Optional[int] = ...) -> None: ...

class LettersGone(_message.Message):
    __slots__ = ("done", "kept")
    DONE_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    done: _containers.RepeatedCompositeFieldContainer[LetterGone]
    kept: _containers.RepeatedCompositeFieldContainer[LetterKept]
    def __init__(self, done: _Optional[_Iterable[_Union[LetterGone, _Mapping]]] = ..., kept: _Optional[_Iterable[_Union[LetterKept, _Mapping]]] = ...) -> None: ...

class LogBody(_message.Message):
    __slots__ = ("at", "fields", "level", "message", "seq")
    AT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    at: str
    fields: Json
    level: str
    message: str
    seq: int
    def __init__(self, at: _Optional[str] = ..., fields: _Optional[_Union[Json, _Mapping]] = ..., level: _Optional[str] = ..., message: _Optional[str] = ..., seq: _Optional[int] = ...) -> None: ...

class Logs(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[LogBody]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[LogBody, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class LoopBody(_message.Message):
    __slots__ = ("agents", "conversation_id", "model", "since", "times")
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    agents: _containers.RepeatedScalarFieldContainer[str]
    conversation_id: str
    model: bool
    since: str
    times: int
    def __init__(self, agents: _Optional[_Iterable[str]] = ..., conversation_id: _Optional[str] = ..., model: _Optional[bool] = ..., since: _Optional[str] = ..., times: _Optional[int] = ...) -> None: ...

class MailBody(_message.Message):
    __slots__ = ("in_cell", "message", "place", "put_backs", "redelivered", "seq", "since", "urgent")
    IN_CELL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PUT_BACKS_FIELD_NUMBER: _ClassVar[int]
    REDELIVERED_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    URGENT_FIELD_NUMBER: _ClassVar[int]
    in_cell: bool
    message: Json
    place: int
    put_backs: int
    redelivered: bool
    seq: int
    since: str
    urgent: bool
    def __init__(self, in_cell: _Optional[bool] = ..., message: _Optional[_Union[Json, _Mapping]] = ..., place: _Optional[int] = ..., put_backs: _Optional[int] = ..., redelivered: _Optional[bool] = ..., seq: _Optional[int] = ..., since: _Optional[str] = ..., urgent: _Optional[bool] = ...) -> None: ...

class Mailbox(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[MailBody]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[MailBody, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class MailboxesPurgeRequest(_message.Message):
    __slots__ = ("name", "body")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    name: str
    body: PurgeBody
    def __init__(self, name: _Optional[str] = ..., body: _Optional[_Union[PurgeBody, _Mapping]] = ...) -> None: ...

class MailboxesWaitingRequest(_message.Message):
    __slots__ = ("name", "after", "limit", "filter")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    after: int
    limit: int
    filter: str
    def __init__(self, name: _Optional[str] = ..., after: _Optional[int] = ..., limit: _Optional[int] = ..., filter: _Optional[str] = ...) -> None: ...

class ManyGone(_message.Message):
    __slots__ = ("break_points", "held", "messages")
    BREAK_POINTS_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    break_points: int
    held: int
    messages: int
    def __init__(self, break_points: _Optional[int] = ..., held: _Optional[int] = ..., messages: _Optional[int] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("content", "conversation_id", "encoding", "in_reply_to", "language", "ontology", "performative", "protocol", "receiver", "reply_by", "reply_to", "reply_with", "sender", "extensions")
    class ExtensionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Json
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Json, _Mapping]] = ...) -> None: ...
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    ONTOLOGY_FIELD_NUMBER: _ClassVar[int]
    PERFORMATIVE_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_FIELD_NUMBER: _ClassVar[int]
    REPLY_BY_FIELD_NUMBER: _ClassVar[int]
    REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    REPLY_WITH_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
    content: Json
    conversation_id: str
    encoding: str
    in_reply_to: str
    language: str
    ontology: str
    performative: str
    protocol: str
    receiver: _containers.RepeatedScalarFieldContainer[str]
    reply_by: str
    reply_to: _containers.RepeatedScalarFieldContainer[str]
    reply_with: str
    sender: str
    extensions: _containers.MessageMap[str, Json]
    def __init__(self, content: _Optional[_Union[Json, _Mapping]] = ..., conversation_id: _Optional[str] = ..., encoding: _Optional[str] = ..., in_reply_to: _Optional[str] = ..., language: _Optional[str] = ..., ontology: _Optional[str] = ..., performative: _Optional[str] = ..., protocol: _Optional[str] = ..., receiver: _Optional[_Iterable[str]] = ..., reply_by: _Optional[str] = ..., reply_to: _Optional[_Iterable[str]] = ..., reply_with: _Optional[str] = ..., sender: _Optional[str] = ..., extensions: _Optional[_Mapping[str, Json]] = ...) -> None: ...

class MessageBody(_message.Message):
    __slots__ = ("at", "cause", "dead_letters", "held", "hops", "message", "redelivered", "seq", "turns", "verdict")
    AT_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REDELIVERED_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    at: str
    cause: int
    dead_letters: _containers.RepeatedCompositeFieldContainer[DeadLetterOfMessage]
    held: WasHeld
    hops: int
    message: Json
    redelivered: bool
    seq: int
    turns: _containers.RepeatedCompositeFieldContainer[TurnBody]
    verdict: VerdictBody
    def __init__(self, at: _Optional[str] = ..., cause: _Optional[int] = ..., dead_letters: _Optional[_Iterable[_Union[DeadLetterOfMessage, _Mapping]]] = ..., held: _Optional[_Union[WasHeld, _Mapping]] = ..., hops: _Optional[int] = ..., message: _Optional[_Union[Json, _Mapping]] = ..., redelivered: _Optional[bool] = ..., seq: _Optional[int] = ..., turns: _Optional[_Iterable[_Union[TurnBody, _Mapping]]] = ..., verdict: _Optional[_Union[VerdictBody, _Mapping]] = ...) -> None: ...

class Messages(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[MessageBody]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[MessageBody, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class MessagesSearchRequest(_message.Message):
    __slots__ = ("conversation", "agent", "performative", "after", "before", "since", "until", "limit", "newest")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    PERFORMATIVE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    conversation: str
    agent: str
    performative: str
    after: int
    before: int
    since: str
    until: str
    limit: int
    newest: bool
    def __init__(self, conversation: _Optional[str] = ..., agent: _Optional[str] = ..., performative: _Optional[str] = ..., after: _Optional[int] = ..., before: _Optional[int] = ..., since: _Optional[str] = ..., until: _Optional[str] = ..., limit: _Optional[int] = ..., newest: _Optional[bool] = ...) -> None: ...

class MessagesShowRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class MessagesSubmitRequest(_message.Message):
    __slots__ = ("wait", "replies", "sender", "traceparent", "idempotency_key", "body")
    WAIT_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    wait: str
    replies: int
    sender: str
    traceparent: str
    idempotency_key: str
    body: Message
    def __init__(self, wait: _Optional[str] = ..., replies: _Optional[int] = ..., sender: _Optional[str] = ..., traceparent: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., body: _Optional[_Union[Message, _Mapping]] = ...) -> None: ...

class NeededBody(_message.Message):
    __slots__ = ("bytes", "rows")
    BYTES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    rows: int
    def __init__(self, bytes: _Optional[int] = ..., rows: _Optional[int] = ...) -> None: ...

class NewBreak(_message.Message):
    __slots__ = ("count", "duration", "filter", "name", "sender")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    count: int
    duration: str
    filter: str
    name: str
    sender: str
    def __init__(self, count: _Optional[int] = ..., duration: _Optional[str] = ..., filter: _Optional[str] = ..., name: _Optional[str] = ..., sender: _Optional[str] = ...) -> None: ...

class NewToken(_message.Message):
    __slots__ = ("agents", "expires", "name", "role")
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    agents: _containers.RepeatedScalarFieldContainer[str]
    expires: str
    name: str
    role: str
    def __init__(self, agents: _Optional[_Iterable[str]] = ..., expires: _Optional[str] = ..., name: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class OfAgentBody(_message.Message):
    __slots__ = ("agent", "bytes", "rows", "state")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    agent: str
    bytes: int
    rows: int
    state: str
    def __init__(self, agent: _Optional[str] = ..., bytes: _Optional[int] = ..., rows: _Optional[int] = ..., state: _Optional[str] = ...) -> None: ...

class PinBody(_message.Message):
    __slots__ = ("conversation_id", "pinned_at")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    PINNED_AT_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    pinned_at: str
    def __init__(self, conversation_id: _Optional[str] = ..., pinned_at: _Optional[str] = ...) -> None: ...

class Pins(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PinBody]
    next: Json
    def __init__(self, items: _Optional[_Iterable[_Union[PinBody, _Mapping]]] = ..., next: _Optional[_Union[Json, _Mapping]] = ...) -> None: ...

class PinsListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PinsPinRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class PinsUnpinAnswer(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PinsUnpinRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class PlanBody(_message.Message):
    __slots__ = ("agent", "changes", "new", "previous", "revision", "state", "strategy", "terms", "unchanged")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    agent: str
    changes: _containers.RepeatedCompositeFieldContainer[PlanLine]
    new: bool
    previous: str
    revision: str
    state: str
    strategy: str
    terms: Json
    unchanged: bool
    def __init__(self, agent: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[PlanLine, _Mapping]]] = ..., new: _Optional[bool] = ..., previous: _Optional[str] = ..., revision: _Optional[str] = ..., state: _Optional[str] = ..., strategy: _Optional[str] = ..., terms: _Optional[_Union[Json, _Mapping]] = ..., unchanged: _Optional[bool] = ...) -> None: ...

class PlanLine(_message.Message):
    __slots__ = ("after", "before", "what")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    after: Json
    before: Json
    what: str
    def __init__(self, after: _Optional[_Union[Json, _Mapping]] = ..., before: _Optional[_Union[Json, _Mapping]] = ..., what: _Optional[str] = ...) -> None: ...

class PurgeBody(_message.Message):
    __slots__ = ("filter", "reason")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    filter: str
    reason: str
    def __init__(self, filter: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Purged(_message.Message):
    __slots__ = ("purged",)
    PURGED_FIELD_NUMBER: _ClassVar[int]
    purged: int
    def __init__(self, purged: _Optional[int] = ...) -> None: ...

class RecoveryBody(_message.Message):
    __slots__ = ("left_s", "percent", "turns")
    LEFT_S_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    left_s: float
    percent: int
    turns: int
    def __init__(self, left_s: _Optional[float] = ..., percent: _Optional[int] = ..., turns: _Optional[int] = ...) -> None: ...

class Redelivered(_message.Message):
    __slots__ = ("agent", "code", "content", "filter", "limit", "seqs")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SEQS_FIELD_NUMBER: _ClassVar[int]
    agent: str
    code: str
    content: Json
    filter: str
    limit: int
    seqs: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, agent: _Optional[str] = ..., code: _Optional[str] = ..., content: _Optional[_Union[Json, _Mapping]] = ..., filter: _Optional[str] = ..., limit: _Optional[int] = ..., seqs: _Optional[_Iterable[int]] = ...) -> None: ...

class RefusalBody(_message.Message):
    __slots__ = ("at", "deployment", "reason", "revision", "why")
    AT_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    at: str
    deployment: str
    reason: str
    revision: str
    why: str
    def __init__(self, at: _Optional[str] = ..., deployment: _Optional[str] = ..., reason: _Optional[str] = ..., revision: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...

class Refusals(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[RefusalBody]
    next: str
    def __init__(self, items: _Optional[_Iterable[_Union[RefusalBody, _Mapping]]] = ..., next: _Optional[str] = ...) -> None: ...

class ReplayAgent(_message.Message):
    __slots__ = ("agent", "changed", "memory_kib", "revision", "start", "stumbled")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    MEMORY_KIB_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    STUMBLED_FIELD_NUMBER: _ClassVar[int]
    agent: str
    changed: _containers.RepeatedScalarFieldContainer[str]
    memory_kib: int
    revision: str
    start: ReplayStart
    stumbled: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, agent: _Optional[str] = ..., changed: _Optional[_Iterable[str]] = ..., memory_kib: _Optional[int] = ..., revision: _Optional[str] = ..., start: _Optional[_Union[ReplayStart, _Mapping]] = ..., stumbled: _Optional[_Iterable[int]] = ...) -> None: ...

class ReplayAsked(_message.Message):
    __slots__ = ("after", "answer", "before", "money", "source", "to", "tokens")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    MONEY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    after: Json
    answer: Json
    before: Json
    money: float
    source: str
    to: str
    tokens: int
    def __init__(self, after: _Optional[_Union[Json, _Mapping]] = ..., answer: _Optional[_Union[Json, _Mapping]] = ..., before: _Optional[_Union[Json, _Mapping]] = ..., money: _Optional[float] = ..., source: _Optional[str] = ..., to: _Optional[str] = ..., tokens: _Optional[int] = ...) -> None: ...

class ReplayBody(_message.Message):
    __slots__ = ("agents", "conversations", "elapsed_ms", "timed_out", "totals", "turns")
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_MS_FIELD_NUMBER: _ClassVar[int]
    TIMED_OUT_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    agents: _containers.RepeatedCompositeFieldContainer[ReplayAgent]
    conversations: _containers.RepeatedScalarFieldContainer[str]
    elapsed_ms: float
    timed_out: bool
    totals: ReplayTotals
    turns: _containers.RepeatedCompositeFieldContainer[ReplayTurn]
    def __init__(self, agents: _Optional[_Iterable[_Union[ReplayAgent, _Mapping]]] = ..., conversations: _Optional[_Iterable[str]] = ..., elapsed_ms: _Optional[float] = ..., timed_out: _Optional[bool] = ..., totals: _Optional[_Union[ReplayTotals, _Mapping]] = ..., turns: _Optional[_Iterable[_Union[ReplayTurn, _Mapping]]] = ...) -> None: ...

class ReplayDifference(_message.Message):
    __slots__ = ("after", "before", "kind", "path")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    after: Json
    before: Json
    kind: str
    path: str
    def __init__(self, after: _Optional[_Union[Json, _Mapping]] = ..., before: _Optional[_Union[Json, _Mapping]] = ..., kind: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class ReplayIllegal(_message.Message):
    __slots__ = ("legal", "message", "rule", "sentence")
    LEGAL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    legal: _containers.RepeatedScalarFieldContainer[str]
    message: int
    rule: str
    sentence: str
    def __init__(self, legal: _Optional[_Iterable[str]] = ..., message: _Optional[int] = ..., rule: _Optional[str] = ..., sentence: _Optional[str] = ...) -> None: ...

class ReplaySide(_message.Message):
    __slots__ = ("error", "fuel", "memory_kib", "messages", "status")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FUEL_FIELD_NUMBER: _ClassVar[int]
    MEMORY_KIB_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    error: str
    fuel: int
    memory_kib: int
    messages: _containers.RepeatedCompositeFieldContainer[Json]
    status: str
    def __init__(self, error: _Optional[str] = ..., fuel: _Optional[int] = ..., memory_kib: _Optional[int] = ..., messages: _Optional[_Iterable[_Union[Json, _Mapping]]] = ..., status: _Optional[str] = ...) -> None: ...

class ReplayStart(_message.Message):
    __slots__ = ("exact", "kind", "reason", "seq", "turns")
    EXACT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    exact: bool
    kind: str
    reason: str
    seq: int
    turns: int
    def __init__(self, exact: _Optional[bool] = ..., kind: _Optional[str] = ..., reason: _Optional[str] = ..., seq: _Optional[int] = ..., turns: _Optional[int] = ...) -> None: ...

class ReplayTotals(_message.Message):
    __slots__ = ("asks", "changed", "fuel_after", "fuel_before", "illegal", "live", "money", "not_run", "same", "tokens", "trapped", "turns")
    ASKS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    FUEL_AFTER_FIELD_NUMBER: _ClassVar[int]
    FUEL_BEFORE_FIELD_NUMBER: _ClassVar[int]
    ILLEGAL_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    MONEY_FIELD_NUMBER: _ClassVar[int]
    NOT_RUN_FIELD_NUMBER: _ClassVar[int]
    SAME_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    TRAPPED_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    asks: int
    changed: int
    fuel_after: int
    fuel_before: int
    illegal: int
    live: int
    money: float
    not_run: int
    same: int
    tokens: int
    trapped: int
    turns: int
    def __init__(self, asks: _Optional[int] = ..., changed: _Optional[int] = ..., fuel_after: _Optional[int] = ..., fuel_before: _Optional[int] = ..., illegal: _Optional[int] = ..., live: _Optional[int] = ..., money: _Optional[float] = ..., not_run: _Optional[int] = ..., same: _Optional[int] = ..., tokens: _Optional[int] = ..., trapped: _Optional[int] = ..., turns: _Optional[int] = ...) -> None: ...

class ReplayTurn(_message.Message):
    __slots__ = ("after", "agent", "asks", "at", "before", "conversation_id", "differences", "illegal", "performative", "revision", "sender", "seq", "verdict")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    ASKS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    ILLEGAL_FIELD_NUMBER: _ClassVar[int]
    PERFORMATIVE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    after: ReplaySide
    agent: str
    asks: _containers.RepeatedCompositeFieldContainer[ReplayAsked]
    at: str
    before: ReplaySide
    conversation_id: str
    differences: _containers.RepeatedCompositeFieldContainer[ReplayDifference]
    illegal: _containers.RepeatedCompositeFieldContainer[ReplayIllegal]
    performative: str
    revision: str
    sender: str
    seq: int
    verdict: str
    def __init__(self, after: _Optional[_Union[ReplaySide, _Mapping]] = ..., agent: _Optional[str] = ..., asks: _Optional[_Iterable[_Union[ReplayAsked, _Mapping]]] = ..., at: _Optional[str] = ..., before: _Optional[_Union[ReplaySide, _Mapping]] = ..., conversation_id: _Optional[str] = ..., differences: _Optional[_Iterable[_Union[ReplayDifference, _Mapping]]] = ..., illegal: _Optional[_Iterable[_Union[ReplayIllegal, _Mapping]]] = ..., performative: _Optional[str] = ..., revision: _Optional[str] = ..., sender: _Optional[str] = ..., seq: _Optional[int] = ..., verdict: _Optional[str] = ...) -> None: ...

class ReplayWish(_message.Message):
    __slots__ = ("agent", "baseline", "conversations", "last", "live", "timeout_s", "wasm_module")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_S_FIELD_NUMBER: _ClassVar[int]
    WASM_MODULE_FIELD_NUMBER: _ClassVar[int]
    agent: str
    baseline: bool
    conversations: _containers.RepeatedScalarFieldContainer[str]
    last: int
    live: bool
    timeout_s: float
    wasm_module: str
    def __init__(self, agent: _Optional[str] = ..., baseline: _Optional[bool] = ..., conversations: _Optional[_Iterable[str]] = ..., last: _Optional[int] = ..., live: _Optional[bool] = ..., timeout_s: _Optional[float] = ..., wasm_module: _Optional[str] = ...) -> None: ...

class ReplaysReplayRequest(_message.Message):
    __slots__ = ("body",)
    BODY_FIELD_NUMBER: _ClassVar[int]
    body: ReplayWish
    def __init__(self, body: _Optional[_Union[ReplayWish, _Mapping]] = ...) -> None: ...

class Some(_message.Message):
    __slots__ = ("break_id", "conversation", "next", "seqs")
    BREAK_ID_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    SEQS_FIELD_NUMBER: _ClassVar[int]
    break_id: str
    conversation: str
    next: bool
    seqs: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, break_id: _Optional[str] = ..., conversation: _Optional[str] = ..., next: _Optional[bool] = ..., seqs: _Optional[_Iterable[int]] = ...) -> None: ...

class StatusBody(_message.Message):
    __slots__ = ("agents", "approvals", "cells", "counts", "folder", "held", "journal", "loops", "pid", "platform", "project", "started_at", "uptime_s", "version", "waits")
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    LOOPS_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    UPTIME_S_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    agents: AgentTotals
    approvals: ApprovalTotals
    cells: _containers.RepeatedCompositeFieldContainer[CellBody]
    counts: Json
    folder: str
    held: HeldTotals
    journal: JournalBody
    loops: _containers.RepeatedCompositeFieldContainer[LoopBody]
    pid: int
    platform: str
    project: str
    started_at: str
    uptime_s: float
    version: str
    waits: Json
    def __init__(self, agents: _Optional[_Union[AgentTotals, _Mapping]] = ..., approvals: _Optional[_Union[ApprovalTotals, _Mapping]] = ..., cells: _Optional[_Iterable[_Union[CellBody, _Mapping]]] = ..., counts: _Optional[_Union[Json, _Mapping]] = ..., folder: _Optional[str] = ..., held: _Optional[_Union[HeldTotals, _Mapping]] = ..., journal: _Optional[_Union[JournalBody, _Mapping]] = ..., loops: _Optional[_Iterable[_Union[LoopBody, _Mapping]]] = ..., pid: _Optional[int] = ..., platform: _Optional[str] = ..., project: _Optional[str] = ..., started_at: _Optional[str] = ..., uptime_s: _Optional[float] = ..., version: _Optional[str] = ..., waits: _Optional[_Union[Json, _Mapping]] = ...) -> None: ...

class SubmittedBody(_message.Message):
    __slots__ = ("approval", "conversation_id", "ended", "held", "id", "replies", "seq", "timed_out", "trace_id")
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TIMED_OUT_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    approval: str
    conversation_id: str
    ended: str
    held: bool
    id: str
    replies: _containers.RepeatedCompositeFieldContainer[MessageBody]
    seq: int
    timed_out: bool
    trace_id: str
    def __init__(self, approval: _Optional[str] = ..., conversation_id: _Optional[str] = ..., ended: _Optional[str] = ..., held: _Optional[bool] = ..., id: _Optional[str] = ..., replies: _Optional[_Iterable[_Union[MessageBody, _Mapping]]] = ..., seq: _Optional[int] = ..., timed_out: _Optional[bool] = ..., trace_id: _Optional[str] = ...) -> None: ...

class TaskBody(_message.Message):
    __slots__ = ("act", "choose", "content", "deadline", "informs", "language", "limit", "ontology", "price", "protocol", "reply_by", "rounds", "sender", "step", "to", "winners")
    ACT_FIELD_NUMBER: _ClassVar[int]
    CHOOSE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    INFORMS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    ONTOLOGY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    REPLY_BY_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    WINNERS_FIELD_NUMBER: _ClassVar[int]
    act: str
    choose: str
    content: Json
    deadline: str
    informs: int
    language: str
    limit: Json
    ontology: str
    price: Json
    protocol: str
    reply_by: str
    rounds: int
    sender: str
    step: Json
    to: Json
    winners: int
    def __init__(self, act: _Optional[str] = ..., choose: _Optional[str] = ..., content: _Optional[_Union[Json, _Mapping]] = ..., deadline: _Optional[str] = ..., informs: _Optional[int] = ..., language: _Optional[str] = ..., limit: _Optional[_Union[Json, _Mapping]] = ..., ontology: _Optional[str] = ..., price: _Optional[_Union[Json, _Mapping]] = ..., protocol: _Optional[str] = ..., reply_by: _Optional[str] = ..., rounds: _Optional[int] = ..., sender: _Optional[str] = ..., step: _Optional[_Union[Json, _Mapping]] = ..., to: _Optional[_Union[Json, _Mapping]] = ..., winners: _Optional[int] = ...) -> None: ...

class TaskBranch(_message.Message):
    __slots__ = ("awarded", "informs", "outcome", "participant", "proposal", "reason", "result", "round", "state")
    AWARDED_FIELD_NUMBER: _ClassVar[int]
    INFORMS_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    awarded: bool
    informs: _containers.RepeatedCompositeFieldContainer[Json]
    outcome: str
    participant: str
    proposal: Json
    reason: str
    result: Json
    round: int
    state: str
    def __init__(self, awarded: _Optional[bool] = ..., informs: _Optional[_Iterable[_Union[Json, _Mapping]]] = ..., outcome: _Optional[str] = ..., participant: _Optional[str] = ..., proposal: _Optional[_Union[Json, _Mapping]] = ..., reason: _Optional[str] = ..., result: _Optional[_Union[Json, _Mapping]] = ..., round: _Optional[int] = ..., state: _Optional[str] = ...) -> None: ...

class TaskDetail(_message.Message):
    __slots__ = ("branches", "conversation_id", "created_at", "ended_at", "ending", "id", "initiator", "late", "missing", "outcome", "participants", "phase", "price", "protocol", "reason", "received", "request", "sent", "state", "violations")
    BRANCHES_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDING_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    INITIATOR_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    branches: _containers.RepeatedCompositeFieldContainer[TaskBranch]
    conversation_id: str
    created_at: str
    ended_at: str
    ending: str
    id: str
    initiator: str
    late: int
    missing: int
    outcome: str
    participants: _containers.RepeatedScalarFieldContainer[str]
    phase: str
    price: Json
    protocol: str
    reason: str
    received: Json
    request: Json
    sent: Json
    state: str
    violations: _containers.RepeatedCompositeFieldContainer[Json]
    def __init__(self, branches: _Optional[_Iterable[_Union[TaskBranch, _Mapping]]] = ..., conversation_id: _Optional[str] = ..., created_at: _Optional[str] = ..., ended_at: _Optional[str] = ..., ending: _Optional[str] = ..., id: _Optional[str] = ..., initiator: _Optional[str] = ..., late: _Optional[int] = ..., missing: _Optional[int] = ..., outcome: _Optional[str] = ..., participants: _Optional[_Iterable[str]] = ..., phase: _Optional[str] = ..., price: _Optional[_Union[Json, _Mapping]] = ..., protocol: _Optional[str] = ..., reason: _Optional[str] = ..., received: _Optional[_Union[Json, _Mapping]] = ..., request: _Optional[_Union[Json, _Mapping]] = ..., sent: _Optional[_Union[Json, _Mapping]] = ..., state: _Optional[str] = ..., violations: _Optional[_Iterable[_Union[Json, _Mapping]]] = ...) -> None: ...

class TaskSummaryBody(_message.Message):
    __slots__ = ("conversation_id", "created_at", "ended_at", "ending", "id", "initiator", "outcome", "participants", "protocol", "reason", "state")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDING_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    INITIATOR_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    created_at: str
    ended_at: str
    ending: str
    id: str
    initiator: str
    outcome: str
    participants: _containers.RepeatedScalarFieldContainer[str]
    protocol: str
    reason: str
    state: str
    def __init__(self, conversation_id: _Optional[str] = ..., created_at: _Optional[str] = ..., ended_at: _Optional[str] = ..., ending: _Optional[str] = ..., id: _Optional[str] = ..., initiator: _Optional[str] = ..., outcome: _Optional[str] = ..., participants: _Optional[_Iterable[str]] = ..., protocol: _Optional[str] = ..., reason: _Optional[str] = ..., state: _Optional[str] = ...) -> None: ...

class Tasks(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TaskSummaryBody]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[TaskSummaryBody, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class TasksCancelRequest(_message.Message):
    __slots__ = ("id", "wait")
    ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    id: str
    wait: str
    def __init__(self, id: _Optional[str] = ..., wait: _Optional[str] = ...) -> None: ...

class TasksListRequest(_message.Message):
    __slots__ = ("before", "limit")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    before: int
    limit: int
    def __init__(self, before: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class TasksRunRequest(_message.Message):
    __slots__ = ("wait", "idempotency_key", "body")
    WAIT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    wait: str
    idempotency_key: str
    body: TaskBody
    def __init__(self, wait: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., body: _Optional[_Union[TaskBody, _Mapping]] = ...) -> None: ...

class TasksShowRequest(_message.Message):
    __slots__ = ("id", "wait")
    ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    id: str
    wait: str
    def __init__(self, id: _Optional[str] = ..., wait: _Optional[str] = ...) -> None: ...

class TimerBody(_message.Message):
    __slots__ = ("beat", "catch_up", "conversation_id", "count", "cron", "due_at", "every_ms", "kind", "missed", "owner", "set_at", "tag", "zone")
    BEAT_FIELD_NUMBER: _ClassVar[int]
    CATCH_UP_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CRON_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    EVERY_MS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    SET_AT_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    beat: int
    catch_up: bool
    conversation_id: str
    count: int
    cron: str
    due_at: str
    every_ms: float
    kind: str
    missed: int
    owner: str
    set_at: str
    tag: Json
    zone: str
    def __init__(self, beat: _Optional[int] = ..., catch_up: _Optional[bool] = ..., conversation_id: _Optional[str] = ..., count: _Optional[int] = ..., cron: _Optional[str] = ..., due_at: _Optional[str] = ..., every_ms: _Optional[float] = ..., kind: _Optional[str] = ..., missed: _Optional[int] = ..., owner: _Optional[str] = ..., set_at: _Optional[str] = ..., tag: _Optional[_Union[Json, _Mapping]] = ..., zone: _Optional[str] = ...) -> None: ...

class Timers(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TimerBody]
    next: str
    def __init__(self, items: _Optional[_Iterable[_Union[TimerBody, _Mapping]]] = ..., next: _Optional[str] = ...) -> None: ...

class TimersListRequest(_message.Message):
    __slots__ = ("agent", "after", "limit")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    agent: str
    after: str
    limit: int
    def __init__(self, agent: _Optional[str] = ..., after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class TimingsBody(_message.Message):
    __slots__ = ("cached", "compile_ms", "load_ms", "pause_us")
    CACHED_FIELD_NUMBER: _ClassVar[int]
    COMPILE_MS_FIELD_NUMBER: _ClassVar[int]
    LOAD_MS_FIELD_NUMBER: _ClassVar[int]
    PAUSE_US_FIELD_NUMBER: _ClassVar[int]
    cached: bool
    compile_ms: float
    load_ms: float
    pause_us: int
    def __init__(self, cached: _Optional[bool] = ..., compile_ms: _Optional[float] = ..., load_ms: _Optional[float] = ..., pause_us: _Optional[int] = ...) -> None: ...

class TokenBody(_message.Message):
    __slots__ = ("agents", "created_at", "created_by", "expires_at", "id", "name", "revoked_at", "role", "state", "used_at", "used_from")
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVOKED_AT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    USED_AT_FIELD_NUMBER: _ClassVar[int]
    USED_FROM_FIELD_NUMBER: _ClassVar[int]
    agents: _containers.RepeatedScalarFieldContainer[str]
    created_at: str
    created_by: str
    expires_at: str
    id: str
    name: str
    revoked_at: str
    role: str
    state: str
    used_at: str
    used_from: str
    def __init__(self, agents: _Optional[_Iterable[str]] = ..., created_at: _Optional[str] = ..., created_by: _Optional[str] = ..., expires_at: _Optional[str] = ..., id: _Optional[str] = ..., name: _Optional[str] = ..., revoked_at: _Optional[str] = ..., role: _Optional[str] = ..., state: _Optional[str] = ..., used_at: _Optional[str] = ..., used_from: _Optional[str] = ...) -> None: ...

class TokenList(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TokenBody]
    next: Json
    def __init__(self, items: _Optional[_Iterable[_Union[TokenBody, _Mapping]]] = ..., next: _Optional[_Union[Json, _Mapping]] = ...) -> None: ...

class TokenMade(_message.Message):
    __slots__ = ("secret", "token")
    SECRET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    secret: str
    token: TokenBody
    def __init__(self, secret: _Optional[str] = ..., token: _Optional[_Union[TokenBody, _Mapping]] = ...) -> None: ...

class TopicBody(_message.Message):
    __slots__ = ("deliveries", "last_at", "lost", "publications", "retained", "subscribers", "topic")
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    PUBLICATIONS_FIELD_NUMBER: _ClassVar[int]
    RETAINED_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBERS_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    deliveries: int
    last_at: str
    lost: int
    publications: int
    retained: bool
    subscribers: int
    topic: str
    def __init__(self, deliveries: _Optional[int] = ..., last_at: _Optional[str] = ..., lost: _Optional[int] = ..., publications: _Optional[int] = ..., retained: _Optional[bool] = ..., subscribers: _Optional[int] = ..., topic: _Optional[str] = ...) -> None: ...

class TopicList(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TopicBody]
    next: str
    def __init__(self, items: _Optional[_Iterable[_Union[TopicBody, _Mapping]]] = ..., next: _Optional[str] = ...) -> None: ...

class TopicSubscriptionBody(_message.Message):
    __slots__ = ("conversation_id", "lost", "since", "subscriber", "topics")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBER_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    lost: int
    since: str
    subscriber: str
    topics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, conversation_id: _Optional[str] = ..., lost: _Optional[int] = ..., since: _Optional[str] = ..., subscriber: _Optional[str] = ..., topics: _Optional[_Iterable[str]] = ...) -> None: ...

class TopicSubscriptions(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TopicSubscriptionBody]
    next: str
    def __init__(self, items: _Optional[_Iterable[_Union[TopicSubscriptionBody, _Mapping]]] = ..., next: _Optional[str] = ...) -> None: ...

class TopicsListRequest(_message.Message):
    __slots__ = ("after", "limit")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after: str
    limit: int
    def __init__(self, after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class TopicsSubscriptionsRequest(_message.Message):
    __slots__ = ("after", "limit")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after: str
    limit: int
    def __init__(self, after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class TransfersExportRequest(_message.Message):
    __slots__ = ("name", "body")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    name: str
    body: ExportRequest
    def __init__(self, name: _Optional[str] = ..., body: _Optional[_Union[ExportRequest, _Mapping]] = ...) -> None: ...

class TransfersImportRequest(_message.Message):
    __slots__ = ("body",)
    BODY_FIELD_NUMBER: _ClassVar[int]
    body: ImportRequest
    def __init__(self, body: _Optional[_Union[ImportRequest, _Mapping]] = ...) -> None: ...

class TransfersLeaveRequest(_message.Message):
    __slots__ = ("name", "body")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    name: str
    body: LeaveRequest
    def __init__(self, name: _Optional[str] = ..., body: _Optional[_Union[LeaveRequest, _Mapping]] = ...) -> None: ...

class TurnBody(_message.Message):
    __slots__ = ("agent", "fuel", "queue_us", "revision", "sent", "started_at", "status", "turn_us")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    FUEL_FIELD_NUMBER: _ClassVar[int]
    QUEUE_US_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TURN_US_FIELD_NUMBER: _ClassVar[int]
    agent: str
    fuel: int
    queue_us: int
    revision: str
    sent: int
    started_at: str
    status: str
    turn_us: int
    def __init__(self, agent: _Optional[str] = ..., fuel: _Optional[int] = ..., queue_us: _Optional[int] = ..., revision: _Optional[str] = ..., sent: _Optional[int] = ..., started_at: _Optional[str] = ..., status: _Optional[str] = ..., turn_us: _Optional[int] = ...) -> None: ...

class TurnRow(_message.Message):
    __slots__ = ("agent", "fuel", "queue_us", "revision", "sent", "seq", "started_at", "status", "turn_us")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    FUEL_FIELD_NUMBER: _ClassVar[int]
    QUEUE_US_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TURN_US_FIELD_NUMBER: _ClassVar[int]
    agent: str
    fuel: int
    queue_us: int
    revision: str
    sent: int
    seq: int
    started_at: str
    status: str
    turn_us: int
    def __init__(self, agent: _Optional[str] = ..., fuel: _Optional[int] = ..., queue_us: _Optional[int] = ..., revision: _Optional[str] = ..., sent: _Optional[int] = ..., seq: _Optional[int] = ..., started_at: _Optional[str] = ..., status: _Optional[str] = ..., turn_us: _Optional[int] = ...) -> None: ...

class Turns(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[TurnRow]
    next: int
    def __init__(self, items: _Optional[_Iterable[_Union[TurnRow, _Mapping]]] = ..., next: _Optional[int] = ...) -> None: ...

class TurnsListRequest(_message.Message):
    __slots__ = ("agent", "conversation", "before", "limit")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    agent: str
    conversation: str
    before: int
    limit: int
    def __init__(self, agent: _Optional[str] = ..., conversation: _Optional[str] = ..., before: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class UsageBody(_message.Message):
    __slots__ = ("cached", "calls", "input", "limit_money", "limit_tokens", "money", "name", "output", "reserved_money", "reserved_tokens", "tokens")
    CACHED_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_MONEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MONEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RESERVED_MONEY_FIELD_NUMBER: _ClassVar[int]
    RESERVED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    cached: int
    calls: int
    input: int
    limit_money: float
    limit_tokens: int
    money: float
    name: str
    output: int
    reserved_money: float
    reserved_tokens: int
    tokens: int
    def __init__(self, cached: _Optional[int] = ..., calls: _Optional[int] = ..., input: _Optional[int] = ..., limit_money: _Optional[float] = ..., limit_tokens: _Optional[int] = ..., money: _Optional[float] = ..., name: _Optional[str] = ..., output: _Optional[int] = ..., reserved_money: _Optional[float] = ..., reserved_tokens: _Optional[int] = ..., tokens: _Optional[int] = ...) -> None: ...

class UsageList(_message.Message):
    __slots__ = ("items", "next")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[UsageBody]
    next: Json
    def __init__(self, items: _Optional[_Iterable[_Union[UsageBody, _Mapping]]] = ..., next: _Optional[_Union[Json, _Mapping]] = ...) -> None: ...

class UsageListRequest(_message.Message):
    __slots__ = ("by",)
    BY_FIELD_NUMBER: _ClassVar[int]
    by: str
    def __init__(self, by: _Optional[str] = ...) -> None: ...

class VerdictBody(_message.Message):
    __slots__ = ("delivered", "legal", "legality", "participant", "protocol", "rule", "sentence", "state", "warning")
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    LEGAL_FIELD_NUMBER: _ClassVar[int]
    LEGALITY_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    delivered: bool
    legal: _containers.RepeatedScalarFieldContainer[str]
    legality: str
    participant: str
    protocol: str
    rule: str
    sentence: str
    state: str
    warning: str
    def __init__(self, delivered: _Optional[bool] = ..., legal: _Optional[_Iterable[str]] = ..., legality: _Optional[str] = ..., participant: _Optional[str] = ..., protocol: _Optional[str] = ..., rule: _Optional[str] = ..., sentence: _Optional[str] = ..., state: _Optional[str] = ..., warning: _Optional[str] = ...) -> None: ...

class WaitBody(_message.Message):
    __slots__ = ("agent", "awaits", "conversation_id", "seq", "since")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    AWAITS_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    agent: str
    awaits: str
    conversation_id: str
    seq: int
    since: str
    def __init__(self, agent: _Optional[str] = ..., awaits: _Optional[str] = ..., conversation_id: _Optional[str] = ..., seq: _Optional[int] = ..., since: _Optional[str] = ...) -> None: ...

class WasHeld(_message.Message):
    __slots__ = ("break_id", "edited", "held_us", "seq")
    BREAK_ID_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    HELD_US_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    break_id: str
    edited: bool
    held_us: int
    seq: int
    def __init__(self, break_id: _Optional[str] = ..., edited: _Optional[bool] = ..., held_us: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...
