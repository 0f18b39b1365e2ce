"""A simulated world behind a UNIX socket that speaks like lightningd; one thread owns the world, so nothing races."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from revenued.clock import Clock, FastClock, WallClock
from revenued.sim.connection import Connection
from revenued.sim.dispatch import Dispatch
from revenued.sim.faults import Faults
from revenued.sim.market import Market
from revenued.sim.world import World

TICK_SECONDS = 0.02
"""How often the world moves when nobody calls, so that waits end; real time."""
BACKLOG = 128
PATIENCE_SECONDS = 30.0

T = TypeVar("T")


class RpcServer:
    """Serves a world. As a context manager it runs in a thread of its own; `serve` runs in the caller's event loop."""

    def __init__(self, world: World, path: Path | str, *, clock: Clock) -> None:
        self._dispatch = Dispatch(world, clock)
        self._path = Path(path)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def calls(self) -> Counter[str]:
        """Return how often each method was called, refused calls included."""
        return self._dispatch.calls

    @property
    def faults(self) -> Faults:
        """Return what is planned to go wrong."""
        return self._dispatch.faults

    def start(self) -> None:
        """Listen and answer from a background thread; raises OSError when the socket cannot be made."""
        listener = self._listen()
        self._stopped = asyncio.Event()
        listening = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener, listening.set)), name="simulated-node", daemon=True
        )
        self._thread.start()
        if not listening.wait(PATIENCE_SECONDS):
            raise RuntimeError("the simulated node did not start")

    def stop(self) -> None:
        """Close every connection and stop, like a node that went away; `start` brings it back with the same world."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(PATIENCE_SECONDS)
        self._thread = self._loop = None

    def do(self, action: Callable[[World], T]) -> T:
        """Run `action` on the world as it is by the clock, in the thread that owns it, and return its result."""

        def act() -> T:
            self._dispatch.advance()
            return action(self._dispatch.world)

        return self._in_loop(act)

    def freeze(self) -> None:
        """Answer nothing from now on; connections are still accepted and requests pile up, as with a hung node."""
        self._in_loop(lambda: self._dispatch.set_frozen(True))

    def thaw(self) -> None:
        """Go on: what has piled up is carried out now, even for callers who are gone."""
        self._in_loop(lambda: self._dispatch.set_frozen(False))

    def drop_connections(self) -> None:
        """Close every connection without a word; waits are lost, listening goes on."""
        self._in_loop(self._dispatch.drop_connections)

    async def serve(self, stopped: asyncio.Event, *, listening: Callable[[], None]) -> None:
        """Listen and answer until `stopped` is set; calls `listening` once callers can connect."""
        self._stopped = stopped
        await self._serve(self._listen(), listening)

    def _listen(self) -> socket.socket:
        self._dispatch.advance()  # before anybody can connect: a long history takes a while
        if self._path.is_socket():
            self._path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._path))
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        return listener

    async def _serve(self, listener: socket.socket, listening: Callable[[], None]) -> None:
        self._loop, dispatch = asyncio.get_running_loop(), self._dispatch
        listeners = dispatch.world.book.listeners
        listeners.append(dispatch.forward_changed)
        server = await self._loop.create_unix_server(lambda: Connection(dispatch), sock=listener)
        listening()
        try:
            while not self._stopped.is_set():
                if not dispatch.frozen:
                    dispatch.advance()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), TICK_SECONDS)
        finally:
            listeners.remove(dispatch.forward_changed)
            server.close()
            dispatch.drop_connections()
            await asyncio.sleep(0)  # aborted connections close their sockets in the loop's next turn
            await server.wait_closed()

    def _in_loop(self, action: Callable[[], T]) -> T:
        if self._loop is None:
            raise RuntimeError("the simulated node is not running")

        async def acted() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(acted(), self._loop).result(PATIENCE_SECONDS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve a world until SIGTERM or SIGINT; one line on stdout says when callers can connect."""
    options = _parser().parse_args(arguments)
    clock: Clock = WallClock() if options.clock is None else FastClock.from_text(options.clock)
    start = clock.start if isinstance(clock, FastClock) else clock.now()
    world = World(
        options.seed,
        start - timedelta(days=options.history_days),
        options.channels,
        market=Market(arrivals_per_channel_day=options.arrivals),
    )
    asyncio.run(_serve_until_signal(RpcServer(world, options.socket, clock=clock), options.socket))


async def _serve_until_signal(server: RpcServer, path: Path) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)

    def announce() -> None:
        sys.stdout.write(f"listening on {path}\n")
        sys.stdout.flush()

    await server.serve(stopped, listening=announce)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m revenued.sim.rpc", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where to listen; a socket left there is replaced")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same market")
    parser.add_argument("--clock", help="a fast clock as FastClock.to_text writes it; the system's clock if left out")
    parser.add_argument("--channels", type=int, default=12)
    parser.add_argument("--arrivals", type=float, default=70.0, help="payments that could come by, per channel and day")
    parser.add_argument("--history-days", type=float, default=0.0, help="how long the node has been routing already")
    return parser


if __name__ == "__main__":
    main()
