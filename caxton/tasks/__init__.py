"""Tasks: a whole protocol run for an operator or a client, by one call (architecture document, ContractNetProtocol).

In: an order (who is asked what, until when, by which protocol, and how to choose). Out: every branch with its outcome
and the counts of what was heard. A task speaks as a client does and is judged as everybody is; what it knows it knows
from the messages of its conversation, so after a restart of the daemon it goes on where they end.
"""

from caxton.tasks.order import Order, Shape, TaskRequest, read_task_request
from caxton.tasks.tasks import Tasks, task_id
from caxton.tasks.view import BranchView, TaskSummary, TaskView

__all__ = [
    "BranchView",
    "Order",
    "Shape",
    "TaskRequest",
    "TaskSummary",
    "TaskView",
    "Tasks",
    "read_task_request",
    "task_id",
]
