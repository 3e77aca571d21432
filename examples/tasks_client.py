"""Calls the service of tasks.py through a client that was generated from its definition.

Call:   python examples/tasks_client.py --varlink=unix:/tmp/tasks

The client was made from org.example.tasks.varlink, with fastvarlink.idl.generate:

    Path("tasks_interface.py").write_text(generate(text, source="org.example.tasks.varlink"))
"""

from __future__ import annotations

import asyncio

from serving import options
from tasks_interface import AsyncTasksClient, NoSuchTask, TasksClient

import fastvarlink
from fastvarlink import aio


def call(address: str) -> None:
    """Add two tasks, do one of them, and list what is left."""
    with fastvarlink.Client(address) as client, client.open(TasksClient) as tasks:
        first = tasks.Add("Write the interface", labels=["idl"]).task
        tasks.Add("Write the service", after=[first.id])
        print(tasks.SetState(first.id, "done").task)
        for reply in tasks.List("open", _more=True):
            print(f"{reply.task.id}: {reply.task.title}, after {reply.task.after}")
        try:
            tasks.SetState(99, "begun")
        except NoSuchTask as error:
            print(f"There is no task {error.id}.")


async def call_asynchronously(address: str) -> None:
    """List all tasks."""
    async with aio.Client(address) as client:
        tasks = await client.open(AsyncTasksClient)
        async for reply in tasks.List(_more=True):
            print(f"{reply.task.id}: {reply.task.state}")


if __name__ == "__main__":
    chosen = options("Calls the service of tasks.").parse_args().varlink
    call(chosen)
    asyncio.run(call_asynchronously(chosen))
