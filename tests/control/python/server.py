"""Serves a pool of asyncio-taskpool: `server.py simple|task SIZE`. Prints its port."""

import asyncio
import sys

from asyncio_taskpool.control import TCPControlServer
from asyncio_taskpool.pool import SimpleTaskPool, TaskPool

from registered import work


async def main(kind: str, size: int) -> None:
    if kind == "simple":
        pool = SimpleTaskPool(work, pool_size=size, name="demo")
    else:
        pool = TaskPool(size, name="demo")
    server = TCPControlServer(pool, host="127.0.0.1", port=0)
    serving = await server.serve_forever()
    print(server._server.sockets[0].getsockname()[1], flush=True)
    await serving


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
