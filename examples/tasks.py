"""A list of tasks: a service whose interface is declared by its annotations.

Serve:  python examples/tasks.py --varlink=unix:/tmp/tasks
Call:   python examples/tasks_client.py --varlink=unix:/tmp/tasks
Ask:    varlinkctl introspect unix:/tmp/tasks org.example.tasks
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from serving import options, serve

import fastvarlink


class State(enum.Enum):
    """How far a task has come."""

    open = "open"
    begun = "begun"
    done = "done"


@dataclass
class Task:
    """Something to be done."""

    # Given by the service.
    id: int
    title: str
    state: State
    labels: list[str] = field(default_factory=list)
    # Tasks that have to be done before.
    after: list[int] | None = None


@fastvarlink.interface("org.example.tasks")
class Tasks:
    """Keeps a list of tasks, for as long as it runs."""

    class NoSuchTask(fastvarlink.InterfaceError):
        """There is no task with this id."""

        id: int

    class NoTasks(fastvarlink.InterfaceError):
        """There is no task, or none in that state."""

    def __init__(self) -> None:
        self._tasks: dict[int, Task] = {}

    @fastvarlink.method(returns="task")
    def Add(
        self,
        title: str,
        labels: list[str] | None = None,
        # Ids of tasks that have to be done before.
        after: list[int] | None = None,
    ) -> Task:
        """Add a task to the list."""
        for id_ in after or ():
            self._find(id_)
        task = Task(len(self._tasks) + 1, title, State.open, labels or [], after)
        self._tasks[task.id] = task
        return task

    @fastvarlink.method(returns="task")
    def SetState(self, id: int, state: State) -> Task:
        """Say how far a task has come."""
        task = self._find(id)
        task.state = state
        return task

    @fastvarlink.method(returns="task")
    def List(self, state: State | None = None) -> Iterator[Task]:
        """Send the tasks, or those in one state, one by one."""
        found = [task for task in self._tasks.values() if state in {None, task.state}]
        if not found:
            raise self.NoTasks()
        yield from found

    def _find(self, id_: int) -> Task:
        if id_ not in self._tasks:
            raise self.NoSuchTask(id=id_)
        return self._tasks[id_]


service = fastvarlink.Service(
    vendor="fastvarlink", product="Tasks example", version="1", url="https://varlink.org"
)
service.interface(Tasks)


if __name__ == "__main__":
    serve(service, options("Keeps a list of tasks.").parse_args().varlink)
