"""What clients of the Python server may start: `registered.work`, `registered.quick`, `registered.bad`; and a callback."""

import asyncio


async def work(*_, **__):
    await asyncio.Event().wait()


async def quick(*_, **__):
    pass


async def bad(*_, **__):
    raise ValueError("on purpose")


async def ended(_task_id: int):
    pass
