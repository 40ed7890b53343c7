"""What clients of the Python server may start: `registered.work`, `registered.quick`, `registered.bad`."""

import asyncio


async def work(*_, **__):
    await asyncio.Event().wait()


async def quick(*_, **__):
    pass


async def bad(*_, **__):
    raise ValueError("on purpose")
